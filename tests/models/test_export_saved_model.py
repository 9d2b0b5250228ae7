import shutil
import subprocess
import sys

import numpy as np
import pytest

from socialmd.models import SocialLSTM, export_saved_model

# Runs where nothing but TensorFlow can be imported.
CLIENT = """
import sys

for name in ("keras", "socialmd", "tensorflow_probability", "tf_keras"):
    sys.modules[name] = None

import numpy as np
import tensorflow as tf

folder = sys.argv[1]
loaded = tf.saved_model.load(folder + "/exported")
small, large = (np.load(f"{folder}/{name}.npy") for name in ("small", "large"))
results = {
    "serve": loaded.serve(small),
    "rollout": loaded.rollout(large, tf.constant(7)),
    "sample": loaded.sample(small, tf.constant(3), tf.constant(5)),
    "signature": loaded.signatures["serving_default"](inputs=small),
}
for name, outputs in results.items():
    for key, value in outputs.items():
        np.save(f"{folder}/{name}_{key}.npy", value.numpy())
"""


@pytest.fixture(scope="module")
def model():
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


def test_export_gives_elsewhere_what_python_gives(model, exported, rng, tmp_path):
    small = rng.normal(size=(2, 3, 4, 4)).astype("float32")
    large = rng.normal(size=(1, 5, 9, 4)).astype("float32")
    np.save(tmp_path / "small.npy", small)
    np.save(tmp_path / "large.npy", large)
    (tmp_path / "exported").symlink_to(exported)
    subprocess.run([sys.executable, "-c", CLIENT, str(tmp_path)], check=True)

    expected = {
        "serve": model.rollout(small),
        "signature": model.rollout(small),
        "rollout": model.rollout(large, num_steps=7),
        "sample": model.rollout(small, num_steps=3, feedback="sample", seed=5),
    }
    for name, outputs in expected.items():
        for key, value in zip(("positions", "parameters"), outputs, strict=True):
            exported = np.load(tmp_path / f"{name}_{key}.npy")
            np.testing.assert_allclose(exported, value, rtol=1e-5, atol=1e-5, err_msg=name)


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
