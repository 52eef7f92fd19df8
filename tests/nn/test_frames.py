"""Which frames a method looks at."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from harness.errors import UserError
from harness.nn.frames import FrameSelector

STACK = spaces.Box(0, 255, (6, 2, 2), np.uint8)


def test_the_newest_frame_is_the_last_channels():
    observations = np.arange(2 * 6 * 2 * 2, dtype=np.uint8).reshape(2, 6, 2, 2)
    newest = FrameSelector(STACK, 3, "newest")
    assert newest.shape == (3, 2, 2)
    np.testing.assert_array_equal(newest(observations), observations[:, 3:])


@pytest.mark.parametrize(
    ("space", "channels", "frames"), [(STACK, 3, "all"), (spaces.Box(-1, 1, (5,)), None, "newest"), (STACK, None, "newest")]
)
def test_everything_else_is_looked_at_as_it_is(space, channels, frames):
    everything = FrameSelector(space, channels, frames)
    observations = np.zeros((4, *space.shape))
    assert everything.shape == space.shape
    assert everything(observations) is observations


def test_what_is_no_box_is_refused():
    with pytest.raises(UserError, match="Box of numbers, not Discrete"):
        FrameSelector(spaces.Discrete(3), None, "all")
