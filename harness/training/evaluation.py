"""Scoring a policy: separate environments and seeds, raw rewards, full episodes, and no trace on training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from harness.algorithms import randomness
from harness.algorithms.base import Learner
from harness.environments.base import HarnessVecEnv, StepReturn
from harness.spec import EvaluationSpec, Purpose, derive_seeds

MAX_ENVS = 16
"""Evaluation environments that step together; more episodes than this take turns."""


@dataclass(frozen=True)
class Episode:
    """One evaluated episode.

    Attributes:
        episode_return: Undiscounted sum of the environment's own rewards.
        length: Number of steps.
        metrics: What the task measures beside return.
    """

    episode_return: float
    length: int
    metrics: dict[str, float] = field(default_factory=dict[str, float])


def number_of_envs(evaluation: EvaluationSpec) -> int:
    """How many environments an evaluation steps together."""
    return min(evaluation.episodes, MAX_ENVS)


def evaluate(env: HarnessVecEnv, learner: Learner, evaluation: EvaluationSpec, seed: int, index: int) -> list[Episode]:
    """Play full episodes with the learner's policy.

    Every environment plays a number of episodes fixed in advance: taking the first that end would favour short ones.

    Args:
        env: Environments that nothing else uses.
        learner: Whose policy plays.
        evaluation: The number of episodes, and whether actions are sampled.
        seed: Seed of the run.
        index: The evaluation's number; it and ``seed`` determine all randomness.

    Returns:
        ``evaluation.episodes`` episodes, ordered by environment and then time.
    """
    n_envs = env.num_envs
    quota = [evaluation.episodes // n_envs + (i < evaluation.episodes % n_envs) for i in range(n_envs)]
    seeds = derive_seeds(seed, Purpose.EVALUATION, index, n_envs + 1)
    played: list[list[Episode]] = [[] for _ in range(n_envs)]
    returns, lengths = np.zeros(n_envs), np.zeros(n_envs, dtype=np.int64)
    with randomness.temporary_seed(seeds[-1]):
        env.reseed(seeds[:-1])
        observations: Any = env.reset()
        state, starts = None, np.ones(n_envs, dtype=bool)
        while any(len(episodes) < n for episodes, n in zip(played, quota, strict=True)):
            actions, state = learner.predict(
                observations, deterministic=evaluation.deterministic, state=state, episode_starts=starts
            )
            step = cast(StepReturn, env.step(actions))
            observations, rewards, dones, infos = step
            starts = dones
            returns += rewards
            lengths += 1
            for i in np.flatnonzero(dones):
                if len(played[i]) < quota[i]:
                    played[i].append(Episode(float(returns[i]), int(lengths[i]), dict(infos[i].get("metrics", {}))))
                returns[i] = lengths[i] = 0
    return [episode for episodes in played for episode in episodes]
