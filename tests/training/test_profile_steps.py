import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.training import ProfileSteps


def train(profile, steps=3):
    """Two fits, as of a training of two phases."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((steps, 1), "float32")
    for _ in range(2):
        model.fit(x, x, batch_size=1, verbose=0, callbacks=[profile])


def marks_of(path):
    """Names of the marks of every event of a step."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    for plane in xplane_pb2.XSpace.FromString(path.read_bytes()).planes:
        for line in plane.lines:
            for event in line.events:
                if plane.event_metadata[event.metadata_id].name.startswith("train"):
                    names = (plane.stat_metadata[stat.metadata_id].name for stat in event.stats)
                    yield tuple(sorted(names))


@pytest.mark.parametrize(
    ("first", "last", "num_profiled"), [(1, 2, 2), (2, 5, 2), (5, 5, 1), (5, 9, 2), (7, 9, 0)]
)
def test_the_steps_that_there_are_get_profiled(tmp_path, first, last, num_profiled):
    profile = ProfileSteps(tmp_path, first, last)
    train(profile)
    assert profile.num_profiled == num_profiled
    found = list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))
    assert len(found) == (1 if num_profiled else 0)
    if num_profiled:
        # By both, TensorBoard tells one step from another.
        assert list(marks_of(found[0])) == [("_r", "step_num")] * num_profiled
    with tf.profiler.experimental.Profile(str(tmp_path / "another")):  # there is one at a time
        pass


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3)])
def test_a_range_that_is_none_is_refused(tmp_path, first, last):
    with pytest.raises(ValueError, match=f"1 <= first <= last, found {first}, {last}"):
        ProfileSteps(tmp_path, first, last)
