"""One Gymnasium environment as a batch steps it: arrays out, an agent's actions in, everything it returns checked once."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium import spaces

from harness.environments.gymnasium.actions import action_converter
from harness.environments.gymnasium.config import GymnasiumConfig
from harness.environments.gymnasium.observations import observation_converter
from harness.environments.gymnasium.opening import open_env
from harness.errors import HarnessError, RunError
from harness.registry.error_summary import summarise_error_with_location

SUCCESS_KEYS = ("is_success", "success")
"""Where the info of an episode's last step may say whether it succeeded, first come first served."""

_STEP_RESULTS = 5


class AdaptedEnv(gymnasium.Env[np.ndarray, Any]):
    """An environment behind arrays; see `harness.environments.gymnasium.config.GymnasiumConfig` for what settings do.

    The info of an episode's last step is ``{"metrics": {name: number}}``, with NaN for what the environment did not tell.

    Args:
        config: What to open.

    Attributes:
        agent_actions: The action space, as one of those that algorithms learn.
        frame_channels: Channels of one image of the stack; ``None`` for vectors.

    Raises:
        UserError: It cannot be opened, or no agent here can act in it.
    """

    observation_space: spaces.Box

    def __init__(self, config: GymnasiumConfig) -> None:
        self._config, self._env = config, open_env(config)
        try:
            self._convert = observation_converter(self._env.observation_space, config)
            actions = action_converter(self._env.action_space, config.action_limit)
        except HarnessError as error:
            self._env.close()
            raise type(error)(f"{config.id}: {error}") from None
        self.agent_actions = self.action_space = actions.space
        self._to_env_action = actions.convert
        self.frame_channels = self._convert.frame_channels
        one = self._convert.space
        shape = (config.frame_stack * one.shape[0], *one.shape[1:])
        stacked = spaces.Box(one.low.min(), one.high.max(), shape, one.dtype.type)
        self.observation_space = stacked  # type: ignore[assignment]  # a Box of Gymnasium's is typed by its scalar, an Env's space is not
        self._frames: deque[np.ndarray] = deque(maxlen=config.frame_stack)
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        self._steps = 0
        try:
            result = self._env.reset(seed=seed, options=options)
            observation, _ = self._unpack("reset", result, 2)
            self._frames.extend([self._convert(observation)] * self._config.frame_stack)
        except Exception as error:  # a stranger's environment may raise anything
            raise self._failure(error) from error
        return self._stacked(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Do an action as often as the settings say, or until the episode ends."""
        observation: Any = None
        total, terminated, truncated, info = 0.0, False, False, dict[str, Any]()
        try:
            env_action = self._to_env_action(action)
            for _ in range(self._config.action_repeat):
                self._steps += 1
                result = self._env.step(env_action)
                observation, reward, terminated, truncated, info = self._unpack("step", result, _STEP_RESULTS)
                total += _finite_reward(reward)
                if terminated or truncated:
                    break
            self._frames.append(self._convert(observation))
            ended = {"metrics": self._metrics(info)} if terminated or truncated else {}
        except Exception as error:  # likewise
            raise self._failure(error) from error
        return self._stacked(), total, bool(terminated), bool(truncated), ended

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _stacked(self) -> np.ndarray:
        return self._frames[0] if len(self._frames) == 1 else np.concatenate(self._frames)

    def _metrics(self, info: dict[str, Any]) -> dict[str, float]:
        success = next((key for key in SUCCESS_KEYS if info.get(key) is not None), SUCCESS_KEYS[0])
        wanted = {"success": success, **{name: name for name in self._config.metrics}}
        return {name: _as_number(key, info.get(key)) for name, key in wanted.items()}

    def _unpack(self, method: str, result: Any, n: int) -> tuple[Any, ...]:
        parts = cast(tuple[Any, ...], result) if isinstance(result, tuple) else None
        if parts is None or len(parts) != n:
            got = type(cast(object, result)).__name__ if parts is None else f"{len(parts)} values"
            raise RunError(f"{method}() returned {got}, where Gymnasium has {n}; is it an environment of the old Gym?")
        return parts

    def _failure(self, error: Exception) -> RunError:
        cause = str(error) if isinstance(error, HarnessError) else f"it raised {summarise_error_with_location(error)}"
        where = f"step {self._steps} of an episode" if self._steps else "reset"
        return RunError(f"{self._config.id}, {where}: {cause}")


def _finite_reward(reward: Any) -> float:
    if np.ndim(reward) == 0:
        try:
            number = float(reward)
        except (TypeError, ValueError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise RunError(f"the reward must be a finite number, not {reward!r}")


def _as_number(key: str, value: Any) -> float:
    if value is None:
        return math.nan
    try:
        return float(np.asarray(value).item())
    except (TypeError, ValueError):
        raise RunError(f"info[{key!r}] must be a number to be recorded, not {value!r}") from None
