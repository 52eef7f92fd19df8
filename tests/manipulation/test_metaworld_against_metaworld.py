"""MetaWorld is MetaWorld: in the same level the moves of its own scripted policies lead to the same views and successes.

Objects in a gripper's hold part by centimetres with two versions of MuJoCo, and success then comes a step or two apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.episodes import first_episodes

from harness_manipulation.config import ManipulationConfig
from harness_manipulation.environment import make

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]
ORIGINALS = {
    "metaworld_door_open": ("door-open-v3", "SawyerDoorOpenV3Policy"),
    "metaworld_drawer_open": ("drawer-open-v3", "SawyerDrawerOpenV3Policy"),
    "metaworld_peg_insert_side": ("peg-insert-side-v3", "SawyerPegInsertionSideV3Policy"),
    "metaworld_pick_place": ("pick-place-v3", "SawyerPickPlaceV3Policy"),
}
DRAWN = [4, 5, 6, 36, 37, 38]  # where a first observation shows the object and the goal
LEVELS, STEPS, UNTOUCHED = 4, 120, 25


class Levels:
    """The original, begun in the level that a first observation shows.

    What a level draws shows in the observation, shifted but unscaled, so that differences tell how to draw it.
    """

    def __init__(self, arm: Any) -> None:
        self._arm = arm
        arm._freeze_rand_vec = True
        self._drawn = np.array(arm._last_rand_vec)
        self._seen = self._begin(self._drawn)
        shifts = 1e-3 * np.eye(len(self._drawn))
        self._effect = np.stack([(self._begin(self._drawn + s) - self._seen)[DRAWN] / 1e-3 for s in shifts], axis=1)

    def begin(self, seen: np.ndarray) -> np.ndarray:
        shift = np.linalg.lstsq(self._effect, (seen - self._seen)[DRAWN], rcond=1e-3)[0]
        return self._begin(self._drawn + shift)

    def _begin(self, drawn: np.ndarray) -> np.ndarray:
        self._arm._last_rand_vec = drawn
        return self._arm.reset()[0]


@pytest.mark.parametrize("task", ORIGINALS)
def test_the_same_happens_in_the_original(task: str, sawyer: Callable[[str], Any]):
    import metaworld.policies

    name, policy_name = ORIGINALS[task]
    config = ManipulationConfig(task=task, ends_at_success=False)
    seeds = list(range(LEVELS))
    first = begun(config, seeds)
    agree, successes = [], 0
    for seed, start in zip(seeds, first, strict=True):
        arm = sawyer(name)
        seen = Levels(arm).begin(start)
        assert np.allclose(seen, start, atol=2e-3)
        policy, played, moves = getattr(metaworld.policies, policy_name)(), [], []
        for _ in range(STEPS):
            # A copy, since the door's policy changes what it is shown.
            moves.append(np.clip(policy.get_action(seen.copy()), -1, 1).astype(np.float32))
            seen, _, terminated, truncated, info = arm.step(moves[-1])
            played.append((seen, info["success"] > 0))
            assert not terminated and not truncated
        _, [episode] = first_episodes(make(config, 1), [seed], np.stack(moves)[:, None])
        for step, (seen, _) in list(zip(episode, played, strict=True))[:UNTOUCHED]:
            assert np.allclose(step.observation, seen, atol=0.01)
        agree += [step.reward == success for step, (_, success) in zip(episode, played, strict=True)]
        successes += any(success for _, success in played)
    assert np.mean(agree) > 0.97
    assert successes >= LEVELS - 1, "the original's own policy hardly ever gets there: nothing has been compared"
    assert arm.max_path_length == config.task_info.limit


def begun(config: ManipulationConfig, seeds: list[int]) -> np.ndarray:
    """First observations, in double precision."""
    env = make(config, len(seeds))
    env.reseed(seeds)
    first = np.asarray(env.reset(), np.float64)
    env.close()
    assert np.abs(first[:, 36:39]).max() > 0, "the goal is hidden"
    return first
