"""The contract between environment families and training: a batch of environments as one SB3 `VecEnv`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs

from harness.environments.declared_spaces import space_problem
from harness.environments.places import PlaceMap
from harness.errors import UserError

StepReturn = tuple[VecEnvObs, np.ndarray, np.ndarray, list[dict[str, Any]]]
"""What `step_wait` gives: observations, rewards ``(N,)``, dones ``(N,)`` and N infos."""

NO_INFO: dict[str, Any] = {}
"""The info of a step at which nothing ended, shared by all environments and steps. Never write to it."""


class HarnessVecEnv(VecEnv):
    """A batch of N environments that step together and follow SB3's same-step autoreset.

    What a family promises beyond SB3's interface:

    * `step_wait` returns observations that the caller may keep (never a view of a buffer that the next step overwrites),
      rewards as float32 of shape ``(N,)``, unclipped and untransformed, ``dones`` as bool ``(N,)``, and a list of N infos.
    * ``infos[i]`` is `NO_INFO` unless episode i ended at this step. Then it holds ``terminal_observation`` (the true last
      observation), ``TimeLimit.truncated`` (a bool: cut by the step limit and not terminated), and may hold ``metrics``:
      a flat ``{name: number}`` of what the task measures beside return, such as success.
    * `reseed` followed by `reset` puts every environment into a state that depends on its seed alone.
    * Image observations are uint8, channel-first, newest frame last, with `frame_channels` channels per frame.

    Args:
        num_envs: N, the number of environments.
        observation_space: Space of one environment's observations.
        action_space: Space of one environment's actions.
        frame_channels: Channels of one frame of a stack of images; ``None`` when observations are not images.

    Raises:
        UserError: Learners cannot take such spaces as they are; says what would be right.
    """

    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    exact_state: ClassVar[bool] = False
    """Whether `state_dict` restores the environments exactly, as ``saves_state`` of the family's settings says. If not, a
    resumed run does all actions since the last seeding again, and their numbers must follow from seeds and actions alone."""

    def __init__(
        self,
        num_envs: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *,
        frame_channels: int | None = None,
    ) -> None:
        if problem := space_problem(observation_space, action_space, frame_channels):
            raise UserError(f"{type(self).__name__} {problem}")
        self.render_mode = None
        super().__init__(num_envs, observation_space, action_space)
        self.frame_channels = frame_channels

    def reseed(self, seeds: Sequence[int]) -> None:
        """Seed each environment at the next `reset`.

        Args:
            seeds: N non-negative integers below 2**31.
        """
        if len(seeds) != self.num_envs:
            raise ValueError(f"{self.num_envs} environments need as many seeds, not {len(seeds)}")
        self._seeds = [int(seed) for seed in seeds]

    def enable_metrics(self) -> None:
        """Turn on those ``metrics`` that cost time; called once, before the first reset, on evaluation environments only."""

    def follow_places(self) -> PlaceMap | None:
        """Have `places` tell where environments are; called once, before the first reset, on training environments only.

        Nothing else changes by it.

        Returns:
            The map of all places; ``None`` where positions are unknown, and `places` is never called.
        """
        return None

    def places(self) -> np.ndarray:
        """The cell of the map to which the last step has led each environment, int64 ``(N,)``.

        Where it ended an episode, that is the cell of the last observation. `harness.environments.places.NOWHERE` stands for
        none. The caller may keep the array.
        """
        raise NotImplementedError(f"{type(self).__name__} tells no places")

    def picture(self, observation: np.ndarray, env: int | None) -> np.ndarray | None:
        """A picture for people of what an environment shows, uint8 ``(height, width, 3)``; ``None`` where there is none.

        Images show their newest frame; whoever declares vectors can draw them, or ask the simulator. A picture may take long:
        only films ask for them. Asking changes nothing.

        Args:
            observation: One observation, ``(*shape)``.
            env: The environment that shows it at present; ``None`` for an episode's last one, whose environment has gone on.

        Raises:
            UserError: Something that drawing needs is missing on this machine; says what.
        """
        return None if self.frame_channels is None else newest_frame(observation, self.frame_channels)

    @abstractmethod
    def reset(self) -> VecEnvObs:
        """Begin a new episode everywhere, with the seeds given to `reseed` since the last reset, if any."""

    @abstractmethod
    def step_wait(self) -> StepReturn:
        """Finish the step begun by `step_async`; see the class for what is promised."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to continue exactly: arrays, numbers and strings, nested in dicts."""
        raise NotImplementedError(f"{type(self).__name__} cannot save its state")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue exactly where `state_dict` was called."""
        raise NotImplementedError(f"{type(self).__name__} cannot restore its state")

    # SB3 asks these of every VecEnv; batches in C++ or NumPy have no single environment to pass them to.
    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError(f"environments of {type(self).__name__} share their attributes")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        raise NotImplementedError(f"environments of {type(self).__name__} have no methods of their own")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))


def newest_frame(observation: np.ndarray, channels: int) -> np.ndarray | None:
    """The last frame of a stack ``(channels * stack, height, width)`` as a picture ``(height, width, 3)``.

    Args:
        observation: The stack of frames, uint8.
        channels: Channels of one frame; 1 for grey or 3 for red, green and blue, of others there is no picture.
    """
    if channels not in (1, 3):
        return None
    frame = np.moveaxis(observation[-channels:], 0, -1)
    return np.repeat(frame, 3, axis=2) if channels == 1 else np.ascontiguousarray(frame)


def validate_discrete_actions(actions: np.ndarray, n: int) -> np.ndarray:
    """Actions as int64, ``(N,)``; C++ would read beyond its tables where Python would say so.

    Raises:
        ValueError: One of them is not from 0 to n - 1.
    """
    actions = np.asarray(actions)
    if actions.min() < 0 or actions.max() >= n:
        raise ValueError(f"actions must be from 0 to {n - 1}, not {actions.tolist()}")
    return actions.astype(np.int64, copy=False)


def episode_end_info(
    terminal_observation: np.ndarray, *, truncated: bool, metrics: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """The info that `HarnessVecEnv` promises at an episode's last step."""
    info: dict[str, Any] = {"terminal_observation": terminal_observation, "TimeLimit.truncated": truncated}
    if metrics:
        info["metrics"] = dict(metrics)
    return info
