import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.models import SequenceLSTM, SocialLSTM, export_saved_model
from tests.run_eagerly import run_eagerly

# Runs where nothing but TensorFlow can be imported, and in the end our part that needs NumPy only.
CLIENT = """
import json
import sys

for name in ("keras", "socialmd", "tensorflow_probability", "tf_keras"):
    sys.modules[name] = None

import numpy as np
import tensorflow as tf

folder = sys.argv[1]
loaded = tf.saved_model.load(folder + "/exported")
small, large, systems, mask = np.load(folder + "/arrays.npz").values()
real = np.ones((len(small), small.shape[2]), bool)
calls = {
    "serve": lambda inputs: loaded.serve(inputs),
    "serve_padded": lambda inputs: loaded.serve_padded(inputs, real),
    "rollout": lambda inputs: loaded.rollout(inputs, tf.constant(7)),
    "rollout_padded": lambda inputs: loaded.rollout_padded(inputs, real, tf.constant(7)),
    "sample": lambda inputs: loaded.sample(inputs, tf.constant(3), tf.constant(5)),
    "serving_default": lambda inputs: loaded.signatures["serving_default"](inputs=inputs),
}
results = {name: call(small) for name, call in calls.items()}
results["large"] = loaded.rollout(large, tf.constant(7))
results["of_different_sizes"] = loaded.rollout_padded(systems, mask, tf.constant(7))
results["of_different_sizes_by_default"] = loaded.serve_padded(systems, mask)

bad = small.copy()
bad[1, 0, 2, 1] = np.inf
errors = {}
for name, call in calls.items():
    try:
        call(bad)
    except tf.errors.InvalidArgumentError as error:
        errors[name] = error.message
with open(folder + "/errors.json", "w") as file:
    json.dump(errors, file)

del sys.modules["socialmd"]
from socialmd.serving import RequestBatcher

batches = []
def forecast(*arguments):
    batches.append(arguments)
    return loaded.rollout_padded(*arguments)

with RequestBatcher(forecast, len(mask), max_wait_seconds=3600) as batcher:
    for number, (system, real) in enumerate(zip(systems, mask)):
        results[f"batcher_{number}"] = batcher.submit(system[:, real], 7)
assert len(batches) == 1
for name, outputs in results.items():
    outputs = outputs.result() if name.startswith("batcher") else outputs
    for key, value in outputs.items():
        np.save(f"{folder}/{name}_{key}.npy", value)
"""
OUTPUTS = ("positions", "parameters")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)  # some weights let the forecast run away
    model = SocialLSTM(
        target_steps=4,
        prediction="acceleration",
        units=8,
        distribution="mixture",
        num_components=2,
        embedding_dim=4,
        grid_cells=8,
        grid_sizes=(4.0, 2.0),
        filters=(3, 4),
    )
    model.build((None, None, None, 4))
    model.is_adapted.assign(1.0)
    return model


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """Its export, which takes its time; not to be written to."""
    path = tmp_path_factory.mktemp("export") / "exported"
    export_saved_model(model, path)
    return path


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(exported)


def wandering(rng, *shape):
    """Particles that hardly move, within reach of each other: [B, T, N, 4]."""
    batch, steps, particles = shape
    start = rng.uniform(-1.5, 1.5, size=(batch, 1, particles, 4)).repeat(steps, axis=1)
    start[..., :2] += rng.normal(scale=0.05, size=(*shape, 2))
    return start.astype("float32")


def padded_systems(rng):
    """Systems of five, three, one and no particles; what is padded is no number at all."""
    mask = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
    systems = wandering(rng, 4, 3, 5)
    systems[np.broadcast_to(~mask[:, None], systems.shape[:3])] = np.nan
    return systems, mask


def rollout(model, inputs, *arguments, **options):
    """What Python gives; compiling it for every shape would take longer than running it."""
    with run_eagerly():
        return [np.asarray(output) for output in model.rollout(inputs, *arguments, **options)]


def assert_same(outputs, expected, name):
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, err_msg=name)


def test_export_gives_elsewhere_what_python_gives(model, exported, rng, tmp_path):
    small, large = wandering(rng, 2, 3, 4), wandering(rng, 1, 5, 9)
    systems, mask = padded_systems(rng)
    np.savez(tmp_path / "arrays.npz", small, large, systems, mask)
    (tmp_path / "exported").symlink_to(exported)
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", CLIENT, str(tmp_path)], check=True, cwd=root)

    def results(name):
        return [np.load(tmp_path / f"{name}_{key}.npy") for key in OUTPUTS]

    expected = rollout(model, small, 7)
    for name in ("rollout", "rollout_padded"):
        assert_same(results(name), expected, name)
    for name in ("serve", "serve_padded", "serving_default"):
        assert_same(results(name), [output[:, :4] for output in expected], name)
    assert_same(results("large"), rollout(model, large, 7), "large")
    samples = rollout(model, small, 3, feedback="sample", seed=5)
    assert_same(results("sample"), samples, "sample")
    for number, (system, real) in enumerate(zip(systems, mask, strict=True)):
        alone = [np.zeros((7, 0, 2)), np.zeros((7, 0, 10))]
        if real.any():
            alone = [output[0] for output in rollout(model, system[None, :, real], 7)]
        assert_same(results(f"batcher_{number}"), alone, "batcher")
        for name, num_steps in (("of_different_sizes", 7), ("of_different_sizes_by_default", 4)):
            outputs = [output[number] for output in results(name)]
            first_steps = [output[:num_steps] for output in alone]
            assert_same([output[:, real] for output in outputs], first_steps, name)
            assert not any(np.any(output[:, ~real]) for output in outputs)

    errors = json.loads((tmp_path / "errors.json").read_text())
    names = {"serve", "serve_padded", "rollout", "rollout_padded", "sample", "serving_default"}
    assert errors.keys() == names
    for message in errors.values():
        assert "inputs: expected finite numbers : Tensor had Inf values" in message


FRAMES, REAL = np.zeros((2, 3, 4, 4), "float32"), np.ones((2, 4), bool)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": FRAMES[:, :1]}, r"inputs: expected at least two time steps, found\] \[1\]"),
        ({"inputs": FRAMES[:, :0]}, r"inputs: expected at least two time steps, found\] \[0\]"),
        ({"inputs": FRAMES[..., :3]}, r"inputs \[2,3,4,3\] is not .*expected shape \[\?,\?,\?,4\]"),
        ({"inputs": FRAMES[0]}, r"inputs \[3,4,4\] is not .*expected shape \[\?,\?,\?,4\]"),
        (
            {
                "inputs": FRAMES
                + np.float32([0, 0, 0, 1]) * np.arange(3, dtype="float32")[:, None, None]
            },
            r"stay the same in all frames, \[2, 3\], .* number among these\]\] \[\[0 1 0\.\.\.",
        ),
        ({"inputs": FRAMES * np.nan}, "inputs: expected finite numbers : Tensor had NaN values"),
        ({"mask": REAL[:1]}, r"mask: expected .* \[2 4\] \[as the inputs, found\] \[1 4\]"),
        ({"mask": REAL.T}, r"mask: expected .* \[2 4\] \[as the inputs, found\] \[4 2\]"),
        ({"mask": REAL[0]}, r"mask \[4\] is not .*expected shape \[\?,\?\]"),
        ({"num_steps": 0}, r"num_steps: expected at least 1, found\] \[0\]"),
        ({"num_steps": -1}, r"num_steps: expected at least 1, found\] \[-1\]"),
        ({"num_steps": [1]}, r"num_steps \[1\] is not .*expected shape \[\]"),
        ({"inputs": FRAMES + 3e38 * np.eye(4, dtype="float32")}, "forecast became infinite"),
    ],
)
def test_what_python_refuses_is_refused_in_the_graph(loaded, changed, message):
    arguments = {"inputs": FRAMES, "mask": REAL, "num_steps": 2} | changed
    arguments["num_steps"] = np.array(arguments["num_steps"], "int32")
    tensors = {name: tf.constant(value) for name, value in arguments.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        loaded.signatures["rollout_padded"](**tensors)


def test_functions_refuse_other_shapes_before_they_run(loaded):
    with pytest.raises(TypeError, match=r"shape=\(2, 3, 4, 3\).* to .*\(None, None, None, 4\)"):
        loaded.rollout(FRAMES[..., :3], tf.constant(1))


@pytest.mark.parametrize(("batch", "particles"), [(2, 1), (2, 0), (0, 3), (0, 0)])
def test_few_particles_or_no_systems_are_no_error(model, loaded, batch, particles):
    frames = FRAMES[:batch, :, :particles]
    outputs = loaded.rollout_padded(frames, REAL[:batch, :particles], tf.constant(5))
    assert outputs["positions"].shape == (batch, 5, particles, 2)
    assert outputs["parameters"].shape == (batch, 5, particles, 10)
    if batch and particles:
        assert_same([outputs[key] for key in OUTPUTS], rollout(model, frames, 5), "one particle")


def saved_model_cli(command, exported, *options, cwd=None):
    """What the tool prints about the signature `rollout_padded`, in one line."""
    of_it = ["--dir", str(exported), "--tag_set", "serve", "--signature_def", "rollout_padded"]
    tool = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", command]
    ended = subprocess.run([*tool, *of_it, *options], check=True, cwd=cwd, capture_output=True)
    return " ".join(ended.stdout.decode().split())


def test_saved_model_cli_shows_the_signature(exported):
    shown = saved_model_cli("show", exported)
    for line in (
        "inputs['inputs'] tensor_info: dtype: DT_FLOAT shape: (-1, -1, -1, 4)",
        "inputs['mask'] tensor_info: dtype: DT_BOOL shape: (-1, -1)",
        "inputs['num_steps'] tensor_info: dtype: DT_INT32 shape: ()",
        "outputs['positions'] tensor_info: dtype: DT_FLOAT shape: (-1, -1, -1, 2)",
        "outputs['parameters'] tensor_info: dtype: DT_FLOAT shape: (-1, -1, -1, 10)",
    ):
        assert line in shown


def test_saved_model_cli_runs_it_on_a_file(model, exported, rng, tmp_path):
    inputs = wandering(rng, 2, 3, 4)
    np.savez(tmp_path / "windows.npz", inputs=inputs, mask=REAL)
    files = "inputs=windows.npz[inputs];mask=windows.npz[mask]"
    options = ["--inputs", files, "--input_exprs", "num_steps=5", "--outdir", "forecast"]
    saved_model_cli("run", exported, *options, cwd=tmp_path)
    outputs = [np.load(tmp_path / "forecast" / f"{key}.npy") for key in OUTPUTS]
    assert_same(outputs, rollout(model, inputs, 5), "saved_model_cli")


def test_a_model_of_limited_particles_in_three_dimensions(rng, tmp_path):
    model = SequenceLSTM(target_steps=3, spatial_dims=3, mlp_units=(4,), lstm_units=(4,))
    model.build((None, None, 3, 4))
    export_saved_model(model, tmp_path / "exported")
    loaded = tf.saved_model.load(tmp_path / "exported")
    inputs, mask = rng.normal(size=(2, 4, 3, 4)), np.array([[1, 1, 0], [1, 1, 1]], bool)
    inputs[..., 3] = inputs[:, :1, :, 3]
    outputs = loaded.rollout_padded(inputs, mask, 5)
    expected = [
        np.where(mask[:, None, :, None], t, 0)
        for t in rollout(model, {"inputs": inputs, "mask": mask}, 5)
    ]
    assert outputs["positions"].shape == (2, 5, 3, 3)
    assert_same([outputs[key] for key in OUTPUTS], expected, "three dimensions")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 3 particles, found\] \[5\]"):
        loaded.serve(np.zeros((1, 4, 5, 4)))


def test_an_earlier_export_is_replaced_but_nothing_else(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "exported")
    model = SocialLSTM(target_steps=2, units=2, grid_sizes=())
    model.build((None, None, None, 4))
    export_saved_model(model, tmp_path / "exported")
    earlier, later = (
        (folder / "saved_model.pb").read_bytes() for folder in (exported, tmp_path / "exported")
    )
    assert len(later) < len(earlier)  # without pooling
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    with pytest.raises(ValueError, match="chapter"):
        export_saved_model(model, tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exported", "thesis"]


def test_a_model_without_weights_or_scales_is_refused(tmp_path):
    with pytest.raises(ValueError, match="with weights"):
        export_saved_model(SocialLSTM(), tmp_path / "exported")
    model = SocialLSTM(prediction="displacement", units=2, filters=(2,))
    model.build((None, None, None, 4))
    with pytest.raises(ValueError, match="adapt"):
        export_saved_model(model, tmp_path / "exported")
    assert not list(tmp_path.iterdir())
