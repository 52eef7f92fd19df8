"""What the learner sees of the environments: transformed rewards, time limits as configured, and cuts of all episodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs

from harness.algorithms.action_log import ActionLog
from harness.config import EnvironmentConfig
from harness.environments.base import HarnessVecEnv, StepReturn, episode_end_info

FORCED_TRUNCATION = "checkpoint_cut"
"""Key of the info of an episode that a cut ended: always bootstrapped, whatever time limits mean."""

_TRANSFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda rewards: rewards,
    "sign": np.sign,
    "positive_sign": lambda rewards: np.maximum(np.sign(rewards), 0),
}


class LearnerVecEnv(VecEnvWrapper):
    """Stands outside the episode monitor, so that logged returns stay the environment's own.

    Args:
        venv: The environments, monitored.
        base: The family's environments at the bottom of ``venv``.
        config: Says how rewards are transformed and what a time limit means.
        log: Where actions are kept for environments that are brought back by doing them again; ``None`` for all others.

    Attributes:
        arrivals: Where each step has led the environments, ``(N,)`` for each step, to be emptied by who follows them;
            ``None`` while nobody does.
    """

    def __init__(self, venv: VecEnv, base: HarnessVecEnv, config: EnvironmentConfig, log: ActionLog | None = None) -> None:
        super().__init__(venv)
        self.base, self.log = base, log
        self.arrivals: list[np.ndarray] | None = None
        self._actions = np.empty(0)
        self._transform = _TRANSFORMS[config.reward_transform]
        self._limits_terminate = config.time_limit == "terminates"
        self._steps_to_truncation = 0
        self._reset_seeds_after_truncation: Sequence[int] = ()

    def truncate_after(self, n_steps: int, seeds: Sequence[int]) -> None:
        """Truncate every episode at the ``n_steps``-th step from now, and go on from a reset with these seeds.

        From then on there are no actions to be done again before these.

        Args:
            n_steps: Vector steps until the truncation, at least 1.
            seeds: One per environment.
        """
        self._steps_to_truncation, self._reset_seeds_after_truncation = n_steps, seeds

    def reset(self) -> VecEnvObs:
        """Begin new episodes everywhere."""
        observations = self.venv.reset()
        if self.log is not None:
            self.log.clear()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step."""
        self._actions = actions if self.log is None else self.log.as_done(actions)
        self.venv.step_async(self._actions)

    def step_wait(self) -> StepReturn:
        """The step as the learner sees it."""
        step = cast(StepReturn, self.venv.step_wait())
        observations, rewards, dones, infos = step
        if self.log is not None:
            self.log.record(self._actions, rewards, dones)
        if self.arrivals is not None:
            self.arrivals.append(self.base.places())
        rewards = self._transform(rewards)
        if self._limits_terminate and dones.any():
            for i in np.flatnonzero(dones):
                infos[i]["TimeLimit.truncated"] = False  # the monitor made this info a copy of its own
        if self._steps_to_truncation:
            self._steps_to_truncation -= 1
            if not self._steps_to_truncation:
                assert isinstance(observations, np.ndarray)
                return self._truncate_all(observations, rewards, dones, infos)
        return observations, rewards, dones, infos

    def _truncate_all(
        self, observations: np.ndarray, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]
    ) -> StepReturn:
        """The step as one that ends every episode; those that ended by themselves keep their own ending."""
        for i in np.flatnonzero(~dones):
            infos[i] = episode_end_info(np.array(observations[i]), truncated=True) | {FORCED_TRUNCATION: True}
        self.base.reseed(self._reset_seeds_after_truncation)
        return self.reset(), rewards, np.ones_like(dones), infos
