"""What tests against original packages share: episodes played through the harness, to be played again elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness import HarnessVecEnv


class Step(NamedTuple):
    """One step of one environment.

    Attributes:
        action: What was done.
        observation: What was seen next; at an episode's end the true last observation.
        reward: What it earned.
        terminated: Whether the episode ended by itself.
        truncated: Whether it was cut.
    """

    action: Any
    observation: np.ndarray
    reward: float
    terminated: bool
    truncated: bool


def first_episodes(env: HarnessVecEnv, seeds: Sequence[int], actions: np.ndarray) -> tuple[np.ndarray, list[list[Step]]]:
    """Play given actions and close the environments.

    Args:
        env: N environments.
        seeds: N seeds.
        actions: Actions ``(steps, N, ...)``.

    Returns:
        First observations ``(N, ...)``, and for each environment the steps until its first episode ends or actions run out.
    """
    env.reseed(list(seeds))
    first = np.array(env.reset())
    episodes: list[list[Step]] = [[] for _ in seeds]
    running = set(range(len(seeds)))
    for row in actions:
        observations, rewards, dones, infos = env.step(row)
        for i in sorted(running):
            truncated = bool(dones[i] and infos[i]["TimeLimit.truncated"])
            seen = np.array(infos[i]["terminal_observation"] if dones[i] else observations[i])  # type: ignore[index]
            episodes[i].append(Step(row[i], seen, float(rewards[i]), bool(dones[i]) and not truncated, truncated))
        running -= set(np.flatnonzero(dones).tolist())
    env.close()
    return first, episodes


def solved(env: HarnessVecEnv, seeds: Sequence[int], policy: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Which environments' first episodes a policy ends with success, ``(N,)`` bool; closes the environments.

    Args:
        env: N environments whose evaluation says ``success``.
        seeds: N seeds, each of which draws another level.
        policy: Actions ``(N, ...)`` for observations ``(N, ...)``.
    """
    env.enable_metrics()
    env.reseed(list(seeds))
    observations, running, successes = env.reset(), np.ones(len(seeds), bool), np.zeros(len(seeds), bool)
    while running.any():
        observations, _, dones, infos = env.step(policy(np.asarray(observations)))
        for i in np.flatnonzero(dones & running):
            successes[i] = infos[i]["metrics"]["success"] > 0
        running &= ~dones
    env.close()
    return successes
