"""What environments answer is checked where it enters a run: shapes, dtypes, finite numbers, and how episodes end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnvWrapper

from harness.environments.base import HarnessVecEnv, StepReturn
from harness.errors import RunError


class AnswerCheck:
    """Refuses answers of environments that are not what `HarnessVecEnv` promises.

    It takes a few microseconds a step, so that it can stay on.

    Args:
        env: The environments whose answers are checked.
    """

    def __init__(self, env: HarnessVecEnv) -> None:
        self._name, self._n_envs = type(env).__name__, env.num_envs
        space = env.observation_space
        self._shape, self._dtype = tuple(space.shape or ()), np.dtype(cast(Any, space.dtype))
        self._batch_shape = (self._n_envs, *self._shape)
        self._may_be_odd = self._dtype.kind == "f"
        self._bounded = isinstance(env.action_space, spaces.Box)

    def actions(self, actions: np.ndarray) -> None:
        """Check the actions that a policy wants to take, ``(N, ...)``.

        Raises:
            RunError: One of them is not finite: the policy is broken, not the environment.
        """
        if self._bounded and not np.isfinite(actions).all():
            env = int(np.argwhere(~np.isfinite(actions))[0][0])
            action = np.asarray(actions)[env].tolist()
            raise RunError(f"the policy's action for environment {env} is {action}, which is not finite")

    def observations(self, answer: Any) -> None:
        """Check the observations after a reset or a step, ``(N, *shape)``.

        Raises:
            RunError: They have another shape or dtype than declared, or are not finite.
        """
        if not isinstance(answer, np.ndarray):
            self._fail(f"returned observations that are {_kind(answer)}, where one array is promised")
        observations = cast(np.ndarray, answer)
        if observations.shape != self._batch_shape or observations.dtype != self._dtype:
            self._fail(f"returned observations of {_described(observations)}, declared are {self._dtype} {self._batch_shape}")
        if self._may_be_odd and not np.isfinite(observations).all():
            env = int(np.argwhere(~np.isfinite(observations))[0][0])
            bad = observations[env][~np.isfinite(observations[env])]
            self._fail(f"returned an observation with {bad[0]} in it", env)

    def step(self, step: StepReturn) -> None:
        """Check everything that a step has returned.

        Raises:
            RunError: Something of it breaks a promise of `HarnessVecEnv`.
        """
        observations, rewards, dones, infos = step
        self.observations(observations)
        self._row("rewards", rewards, np.dtype(np.float32))
        self._row("dones", dones, np.dtype(np.bool_))
        if not np.isfinite(rewards).all():
            env = int(np.flatnonzero(~np.isfinite(rewards))[0])
            self._fail(f"returned a reward of {rewards[env]}", env)
        if not isinstance(cast(object, infos), list) or len(infos) != self._n_envs:
            self._fail(f"returned {_counted(infos)}, where a list of {self._n_envs} is promised")
        if dones.any():
            for env in np.flatnonzero(dones).tolist():
                self._end(env, infos[env])

    def _row(self, name: str, values: Any, dtype: np.dtype) -> None:
        if not isinstance(values, np.ndarray) or values.shape != (self._n_envs,) or values.dtype != dtype:
            got = (
                f"of {_described(cast(np.ndarray, values))}" if isinstance(values, np.ndarray) else f"that are {_kind(values)}"
            )
            self._fail(f"returned {name} {got}, where {dtype} ({self._n_envs},) is promised")

    def _end(self, env: int, info: Any) -> None:
        """Check the info of an episode's last step."""
        where = "ended an episode with an info"
        if not isinstance(info, dict):
            self._fail(f"{where} that is {_kind(info)}, where a dictionary is promised", env)
        known = cast(dict[str, Any], info)
        last = known.get("terminal_observation")
        if not isinstance(last, np.ndarray) or last.shape != self._shape or last.dtype != self._dtype:
            got = _described(cast(np.ndarray, last)) if isinstance(last, np.ndarray) else _kind(last)
            self._fail(f"{where} whose terminal_observation is {got}, declared is {self._dtype} {self._shape}", env)
        if self._may_be_odd and not np.isfinite(cast(np.ndarray, last)).all():
            self._fail(f"{where} whose terminal_observation is not finite", env)
        if not isinstance(known.get("TimeLimit.truncated"), bool | np.bool_):
            self._fail(f"{where} whose TimeLimit.truncated is neither True nor False", env)
        self._metrics(env, known.get("metrics"))

    def _metrics(self, env: int, metrics: Any) -> None:
        if metrics is None:
            return
        if not isinstance(metrics, Mapping):
            self._fail(f"measured {_kind(metrics)}, where 'metrics' must be a mapping of numbers", env)
        for name, value in cast(Mapping[Any, Any], metrics).items():
            is_number: bool = isinstance(value, int | float | np.integer | np.floating)
            if not isinstance(name, str) or not is_number or not math.isfinite(float(cast(Any, value))):
                self._fail(f"measured {str(name)[:40]} = {str(cast(Any, value))[:40]}, which is not a finite number", env)

    def _fail(self, what: str, env: int | None = None) -> NoReturn:
        who = f"{self._name}" if env is None else f"environment {env} of {self._name}"
        raise RunError(f"{who} {what}")


class CheckedVecEnv(VecEnvWrapper):
    """Environments whose every answer is checked by `AnswerCheck`; nothing else is changed.

    Args:
        venv: The environments of a family.
    """

    def __init__(self, venv: HarnessVecEnv) -> None:
        super().__init__(venv)
        self._check = AnswerCheck(venv)

    def reset(self) -> np.ndarray:
        """Begin new episodes everywhere."""
        observations = self.venv.reset()
        self._check.observations(observations)
        return cast(np.ndarray, observations)

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step."""
        self._check.actions(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> StepReturn:
        """Finish the step."""
        step = cast(StepReturn, self.venv.step_wait())
        try:
            self._check.step(step)
        except (TypeError, ValueError):
            name = type(self.venv).__name__
            raise RunError(f"{name} returned something from step_wait() that is not the four promised parts") from None
        return step


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _counted(infos: object) -> str:
    return f"{len(cast(list[Any], infos))} infos" if isinstance(infos, list) else f"infos that are {_kind(infos)}"


def _described(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"
