"""The harness's own checks of a method, and what is special about SimHash."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from harness import Spaces, Transitions
from harness.testing import MethodConformance
from harness_simhash.config import SimHashConfig
from harness_simhash.reward import SimHash


class TestConformance(MethodConformance):
    method = "simhash"


def make(observations: spaces.Box, frame_channels: int | None = None, **config: Any) -> SimHash:
    return SimHash(SimHashConfig(**config), Spaces(observations, spaces.Discrete(2), frame_channels), 3, "cpu", 0)


def visits(states: torch.Tensor) -> Transitions:
    n = len(states)
    never = torch.zeros(n, dtype=torch.bool)
    return Transitions(states, torch.zeros(n, dtype=torch.int64), states, torch.zeros(n), never, never, torch.arange(n))


def test_the_bonus_is_beta_over_the_root_of_the_count() -> None:
    method = make(spaces.Box(-1, 1, (8,)), beta=0.5)
    states = torch.eye(8)
    step = visits(states[[0, 1, 2]])
    assert method.bonus(step).tolist() == [0.5, 0.5, 0.5]
    for _ in range(4):
        method.observe(step)
    torch.testing.assert_close(method.bonus(visits(states[[0, 1, 7]])), torch.tensor([0.25, 0.25, 0.5]))
    assert method.update(step) == {"codes": 3.0, "visits_mean": 4.0}


def test_states_of_one_step_that_share_a_code_are_all_counted() -> None:
    method = make(spaces.Box(-1, 1, (8,)))
    step = visits(torch.eye(8)[[3, 3, 3]])
    method.observe(step)
    torch.testing.assert_close(method.bonus(step), torch.full((3,), 3**-0.5))


def test_a_code_is_the_signs_of_the_projection() -> None:
    method = make(spaces.Box(-1, 1, (8,)), bits=11)
    states = torch.randn(5, 8)
    for state, code in zip(states, method.codes(states), strict=True):
        bits = "".join(f"{byte:08b}" for byte in code)[:11]
        assert [bit == "1" for bit in bits] == [float(state @ column) > 0 for column in method.projection.T]


def test_the_angle_between_states_decides_how_many_bits_differ() -> None:
    """Two states differ in each bit with probability angle / pi (Charikar 2002), so length makes no difference."""
    method = make(spaces.Box(-1, 1, (2,)), bits=4000)
    one, far, long = method.codes(torch.tensor([[1.0, 0.0], [1.0, 1.0], [5.0, 0.0]]))
    assert one == long
    differing = sum((a ^ b).bit_count() for a, b in zip(one, far, strict=True))
    assert abs(differing / 4000 - 0.25) < 0.03


def test_only_the_newest_frame_of_an_image_counts() -> None:
    method = make(spaces.Box(0, 255, (4, 84, 84), np.uint8), frame_channels=1)
    stack = np.random.default_rng(0).integers(0, 256, (1, 4, 84, 84), dtype=np.uint8)
    older, newest = stack.copy(), stack.copy()
    older[:, :3] = 0
    newest[:, 3] = 0
    code, same, other = (method.codes(torch.from_numpy(method.view(seen))) for seen in (stack, older, newest))
    assert code == same
    assert code != other
