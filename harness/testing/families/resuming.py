"""Checks of how environments come back when a run is resumed: by their state, or by their actions done again."""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.algorithms.action_log import ActionLog, checksum
from harness.environments.base import StepReturn
from harness.testing.families.family import SEEDS, Family
from harness.testing.outcomes import require


def declared_way(family: Family) -> None:
    """The settings say whether environments save their state, and how long an episode can last; both hold."""
    with family.environments() as env:
        saves, exact = family.config.saves_state, env.exact_state
    require(saves == exact, f"saves_state of the settings and exact_state to be the same, here {exact}", saves)
    limit, longest = family.config.episode_limit, _longest_episode(family)
    require(limit is None or limit >= 1, "an episode_limit from 1, or None where nothing bounds an episode", limit)
    require(limit is None or longest <= limit, f"no episode longer than the settings' episode_limit, {limit}", longest)


def actions_again(family: Family) -> None:
    """New environments come to the same place by the same actions, on any number of threads, measured or not."""
    with family.environments() as env:
        log = ActionLog(env.action_space, env.num_envs)
        env.reseed(SEEDS)
        env.reset()
        expected: list[int] = []
        last = np.empty(0)
        for actions in family.rollout.actions:
            stored = log.as_stored(actions)
            done = cast(StepReturn, env.step(log.as_done(actions)))
            expected.append(checksum(done[1], done[2]))
            last = np.asarray(done[0])
            require(np.array_equal(stored.astype(actions.dtype), actions), "actions that the log of a run can hold", actions)
    seen = last
    with family.environments(threads=2) as env:
        env.reseed(SEEDS)
        env.reset()
        for t, (actions, before) in enumerate(zip(family.rollout.actions, expected, strict=True)):
            done = cast(StepReturn, env.step(log.as_done(log.as_stored(actions))))
            same = checksum(done[1], done[2]) == before
            seen = np.asarray(done[0])
            require(same, "the same rewards and ends when actions are done again", f"others at step {t}")
        require(np.array_equal(last, seen), "the same observations when actions are done again", "others at the end")


def _longest_episode(family: Family) -> int:
    rollout = family.rollout
    running = np.zeros(len(SEEDS), int)
    longest = 0
    for dones in rollout.dones:
        running += 1
        longest = max(longest, int(running.max()))
        running[dones] = 0
    return longest
