"""A list of Gymnasium environments as a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from harness.environments.base import NO_INFO, HarnessVecEnv, StepReturn, episode_end_info, validate_discrete_actions
from harness.environments.places import PlaceMap, Places
from harness.environments.vector.processes import EnvWorker, shared_buffer
from harness.environments.vector.shared_arrays import ActionSpace, Layout, SharedArrays, allocate
from harness.environments.vector.stepping import EnvFactory, Stepper


class GymnasiumVecEnv(HarnessVecEnv):
    """N Gymnasium environments that step together; see `HarnessVecEnv` for what is promised.

    An environment that ends its episode is reset at once. Its seed is given to the first reset after `reseed`; the following
    ones go on with its random numbers, as Gymnasium wants.

    Args:
        factories: Make the N environments; observations are arrays of ``observation_space``. For processes they are pickled,
            so they are functions of modules or `functools.partial` of these.
        observation_space: Space of one environment's observations.
        action_space: Space of one environment's actions. The agent counts from 0, whatever number the first one has.
        processes: Number of processes that share the environments, at most N; 0 or 1 steps them in this one. A process costs a
            start of a second or more and about 0.1 ms for each step of the batch: worth it for environments that take longer.
        metrics: Names in ``info["metrics"]`` of each episode's last step, all of them numbers, NaN for what is not measured of
            an episode; reported once `enable_metrics` is called.
        frame_channels: Channels of one frame of stacked images, see `HarnessVecEnv`.
        draw: Function from one observation to a picture, see `HarnessVecEnv.picture`; ``None`` for that of images.
        places: The map of positions, which are told by observations alone; ``None`` where nothing tells them.
    """

    def __init__(
        self,
        factories: Sequence[EnvFactory],
        observation_space: spaces.Box,
        action_space: ActionSpace,
        *,
        processes: int = 0,
        metrics: Sequence[str] = (),
        frame_channels: int | None = None,
        draw: Callable[[np.ndarray], np.ndarray] | None = None,
        places: Places | None = None,
    ) -> None:
        agent_actions, self._first_action = _counted_from_zero(action_space)
        super().__init__(len(factories), observation_space, agent_actions, frame_channels=frame_channels)
        self._metrics, self._metrics_enabled, self._draw = tuple(metrics), False, draw
        self._known_places = places
        self._workers: list[EnvWorker] = []
        self._stepper: Stepper | None = None
        layout = Layout(self.num_envs, observation_space, action_space, len(self._metrics))
        processes = min(processes, self.num_envs)
        if processes < 2:
            self._arrays = SharedArrays(layout, allocate(layout, bytearray))
            self._stepper = Stepper(factories, 0, self._arrays, self._metrics)
            return
        buffers = allocate(layout, shared_buffer)
        self._arrays = SharedArrays(layout, buffers)
        for rows in np.array_split(np.arange(self.num_envs), processes):
            mine: list[EnvFactory] = [factories[row] for row in rows]
            self._workers.append(EnvWorker(mine, int(rows[0]), layout, buffers, self._metrics))

    def enable_metrics(self) -> None:
        """Put the metrics into the info of every episode's end."""
        self._metrics_enabled = bool(self._metrics)

    def follow_places(self) -> PlaceMap | None:
        """The map, if there is one; observations that are there anyway tell places."""
        return self._known_places.map if self._known_places else None

    def places(self) -> np.ndarray:
        """The cell to which the last step has led each environment."""
        if self._known_places is None:
            return super().places()
        arrays = self._arrays
        ended = (arrays.terminated | arrays.truncated)[:, *[None] * (arrays.observations.ndim - 1)]
        return self._known_places.locate(np.where(ended, arrays.last_observations, arrays.observations), {})

    def picture(self, observation: np.ndarray, env: int | None) -> np.ndarray | None:
        """What ``draw`` makes of an observation; without it, the newest frame of images."""
        return super().picture(observation, env) if self._draw is None else self._draw(observation)

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere."""
        self._arrays.seeds[:] = [-1 if seed is None else seed for seed in self._seeds]
        self._reset_seeds()
        self._begin("reset")
        self._finish()
        return self._arrays.observations.copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step.

        Raises:
            ValueError: An action is out of range.
        """
        if isinstance(self.action_space, spaces.Discrete):
            actions = validate_discrete_actions(actions, int(self.action_space.n))
        elif isinstance(self.action_space, spaces.MultiDiscrete | spaces.MultiBinary):
            limits = cast(Any, self.action_space.nvec if isinstance(self.action_space, spaces.MultiDiscrete) else 2)
            if (np.less(actions, 0) | np.greater_equal(actions, limits)).any():
                raise ValueError(f"actions must be of {self.action_space}, not {np.asarray(actions).tolist()}")
        self._arrays.actions[:] = actions if self._first_action is None else actions + self._first_action
        self._begin("step")

    def step_wait(self) -> StepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised."""
        self._finish()
        arrays = self._arrays
        dones = arrays.terminated | arrays.truncated
        infos = [NO_INFO] * self.num_envs
        for env in np.flatnonzero(dones).tolist():
            infos[env] = self._end_info(env)
        return arrays.observations.copy(), arrays.rewards.copy(), dones, infos

    def close(self) -> None:
        """Close the environments and end their processes; harmless when repeated."""
        if self._stepper:
            self._stepper.close()
        for worker in self._workers:
            worker.close()
        self._stepper, self._workers = None, []

    def _begin(self, command: str) -> None:
        if not self._workers and self._stepper is None:
            raise RuntimeError("nothing comes after close()")
        self._command = command
        for worker in self._workers:
            worker.begin(command)

    def _finish(self) -> None:
        if self._stepper:
            getattr(self._stepper, self._command)()
        for worker in self._workers:
            worker.finish()

    def _end_info(self, env: int) -> dict[str, Any]:
        arrays = self._arrays
        truncated = bool(arrays.truncated[env] and not arrays.terminated[env])
        metrics = self._reported_metrics(env) if self._metrics_enabled else None
        return episode_end_info(arrays.last_observations[env].copy(), truncated=truncated, metrics=metrics)

    def _reported_metrics(self, env: int) -> dict[str, float]:
        numbers = zip(self._metrics, self._arrays.metrics[env].tolist(), strict=True)
        return {name: number for name, number in numbers if not math.isnan(number)}


def _counted_from_zero(space: ActionSpace) -> tuple[ActionSpace, np.ndarray | None]:
    """The space as an agent sees it, and what is added to its actions; ``None`` for nothing."""
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        first = np.asarray(space.start)
        if first.any():
            counted = spaces.Discrete(space.n) if isinstance(space, spaces.Discrete) else spaces.MultiDiscrete(space.nvec)
            return counted, first
    return space, None
