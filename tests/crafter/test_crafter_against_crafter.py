"""A world is Crafter's: the same seed and actions give the same images, rewards, achievements and deaths."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from harness_crafter.config import CrafterConfig
from harness_crafter.world import ACTIONS, make_world

pytestmark = pytest.mark.slow


class InOrderOfAdding(set[Any]):
    """Crafter's set of a region's creatures; it draws one of them by a number in an order that addresses in memory decide."""

    def __init__(self) -> None:
        super().__init__()
        self._order: list[Any] = []

    def add(self, item: Any) -> None:
        super().add(item)
        self._order.append(item)

    def remove(self, item: Any) -> None:
        super().remove(item)
        self._order.remove(item)

    def __iter__(self) -> Any:
        return iter(list(self._order))


def original(seed: int) -> Any:
    """Crafter's own environment, with that one order fixed before the world is generated."""
    import crafter

    env = crafter.Env(seed=seed)
    reset = env._world.reset

    def reset_in_order(seed: int | None = None) -> None:
        reset(seed)
        env._world._chunks = defaultdict(InOrderOfAdding)

    env._world.reset = reset_in_order
    return env


@pytest.mark.parametrize("seed", [0, 2**31 - 2])
def test_the_same_happens_in_the_original(seed: int):
    ours, theirs = make_world(CrafterConfig()), original(seed)
    rng, deaths, unlocked = np.random.default_rng(seed), 0, set()
    shown, _ = ours.reset(seed=seed)
    assert np.array_equal(shown, theirs.reset().transpose(2, 0, 1))
    for _ in range(400):
        # Walking in one direction for a while meets more than trembling does.
        action = int(rng.choice([rng.integers(ACTIONS), 1 + rng.integers(4), 5]))
        shown, reward, terminated, truncated, info = ours.step(action)
        seen, expected, over, told = theirs.step(action)
        assert np.array_equal(shown, seen.transpose(2, 0, 1))
        assert reward == pytest.approx(expected)
        assert terminated == over and not truncated
        if over:
            deaths += 1
            names = {name for name, count in told["achievements"].items() if count}
            assert {name for name, value in info["metrics"].items() if value and name != "achievements"} == names
            unlocked |= names
            shown, _ = ours.reset()
            assert np.array_equal(shown, theirs.reset().transpose(2, 0, 1))
    assert deaths and unlocked


def test_the_limit_is_the_originals():
    import crafter

    assert CrafterConfig().episode_steps == crafter.Env()._length == 10_000
