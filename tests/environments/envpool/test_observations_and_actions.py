"""What an agent sees and does is declared, and is what EnvPool shows and takes."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from harness.environments.envpool import FlattenedDict, Images, Vectors, discrete_converter, scaled_converter

NESTED = spaces.Dict(
    {
        "image": spaces.Box(0, 255, (2, 2), np.uint8),
        "arm": spaces.Dict({"angle": spaces.Box(-9, 9, ()), "speed": spaces.Box(-9, 9, (3,), np.float64)}),
    }
)
BATCH = {
    "image": np.arange(8, dtype=np.uint8).reshape(2, 2, 2),
    "arm": {"angle": np.array([0.5, 1.5], np.float32), "speed": np.arange(6.0).reshape(2, 3)},
}


def test_parts_lie_where_their_names_say():
    parts = FlattenedDict(NESTED, ("arm.speed", "image", "arm.angle"))
    vector = parts(BATCH)
    assert (vector.dtype, vector.shape) == (np.float32, (2, *parts.space.shape)) == (np.float32, (2, 8))
    assert parts.names == ("arm.speed", "image", "arm.angle")
    assert np.array_equal(vector[:, parts.slices["arm.speed"]], BATCH["arm"]["speed"])
    assert np.array_equal(vector[:, parts.slices["image"]], BATCH["image"].reshape(2, 4))
    assert np.array_equal(vector[:, parts.slices["arm.angle"]], BATCH["arm"]["angle"][:, None])
    assert all(parts.space.contains(row) for row in vector)


def test_all_parts_are_taken_by_default_and_others_may_be_left_out():
    assert set(FlattenedDict(NESTED).names) == {"image", "arm.angle", "arm.speed"}
    assert FlattenedDict(NESTED, ("arm.angle",)).space.shape == (1,)


def test_unknown_parts_and_other_spaces_are_refused():
    with pytest.raises(KeyError, match=r"no part 'arm.sped' among .*arm.speed"):
        FlattenedDict(NESTED, ("arm.sped",))
    with pytest.raises(TypeError, match="mission: a dictionary of boxes is needed"):
        FlattenedDict(spaces.Dict({"mission": spaces.Discrete(3)}))
    with pytest.raises(TypeError, match="vectors need a Box"):
        Vectors(NESTED)


def test_vectors_are_flat_float32_without_bounds():
    vectors = Vectors(spaces.Box(np.finfo(np.float64).tiny, 1.0, (2, 3), np.float64))
    assert vectors.space == spaces.Box(-np.inf, np.inf, (6,), np.float32)
    row = vectors(np.arange(-6.0, 6.0).reshape(2, 2, 3))
    assert row.dtype == np.float32 and np.array_equal(row[1], np.arange(0.0, 6.0))


def test_images_are_left_as_they_are():
    images = Images(spaces.Box(0, 255, (12, 84, 84), np.uint8), 3)
    batch = np.zeros((2, 12, 84, 84), np.uint8)
    assert images(batch) is batch and images.frame_channels == 3
    for wrong in (spaces.Box(0, 1, (3, 8, 8), np.float32), spaces.Box(0, 255, (8, 8), np.uint8), NESTED):
        with pytest.raises(TypeError, match=r"uint8 Box of \(channels, height, width\)"):
            Images(wrong, 1)
    with pytest.raises(TypeError, match="no whole number of frames"):
        Images(images.space, 5)


def test_continuous_actions_reach_the_ends_of_the_range():
    actions = scaled_converter(spaces.Box(np.array([-1.0, 0.0]), np.array([1.1, 4.0]), (2,), np.float64))
    assert actions.space == spaces.Box(-1.0, 1.0, (2,), np.float32)
    sent = actions.convert(np.array([[-1, -1], [0, 0], [1, 1]], np.float32))
    assert np.allclose(sent, [[-1.0, 0.0], [0.05, 2.0], [1.1, 4.0]])
    plain = np.zeros((3, 2), np.float32)
    assert scaled_converter(spaces.Box(-1.0, 1.0, (2,))).convert(plain) is plain


@pytest.mark.parametrize("bound", [np.inf, 1e10])
def test_actions_without_bounds_are_refused(bound: float):
    with pytest.raises(ValueError, match="without bounds"):
        scaled_converter(spaces.Box(-bound, bound, (2,), np.float64))


def test_discrete_actions_are_checked_and_begin_at_zero():
    actions = discrete_converter(spaces.Discrete(3, start=-1))
    assert actions.space == spaces.Discrete(3)
    assert actions.convert(np.array([0, 1, 2])).tolist() == [-1, 0, 1]
    for wrong in (3, -1):
        with pytest.raises(ValueError, match="must be from 0 to 2"):
            actions.convert(np.array([0, wrong]))


def test_kinds_of_actions_are_not_confused():
    with pytest.raises(TypeError, match="Discrete"):
        discrete_converter(spaces.Box(-1, 1, (2,)))
    with pytest.raises(TypeError, match="Box"):
        scaled_converter(spaces.Discrete(3))
