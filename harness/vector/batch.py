"""A list of Gymnasium environments as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from harness.environments import NO_INFO, HarnessVecEnv, discrete_actions, end_of_episode
from harness.vector.board import Board, Layout, allocate
from harness.vector.processes import Worker, shared
from harness.vector.stepping import Maker, Stepper


class GymnasiumVecEnv(HarnessVecEnv):
    """N Gymnasium environments that step together; see `HarnessVecEnv` for what is promised.

    An environment that ends its episode is reset at once. Its seed is given to the first reset after `reseed`; the following
    ones go on with its random numbers, as Gymnasium wants.

    Args:
        makers: Make the N environments; observations are arrays of ``observation_space``. For processes they are pickled, so
            they are functions of modules or `functools.partial` of these.
        observation_space: Of one environment.
        action_space: Of one environment.
        processes: How many processes share the environments, at most N; 0 or 1 steps them in this one. A process costs a
            start of a second or more and about 0.1 ms for each step of the batch: worth it for environments that take longer.
        metrics: Names in ``info["metrics"]`` of each episode's last step, all of them numbers; told once `measure` is called.
        frame_channels: See `HarnessVecEnv`.
    """

    def __init__(
        self,
        makers: Sequence[Maker],
        observation_space: spaces.Box,
        action_space: spaces.Box | spaces.Discrete,
        *,
        processes: int = 0,
        metrics: Sequence[str] = (),
        frame_channels: int | None = None,
    ) -> None:
        super().__init__(len(makers), observation_space, action_space, frame_channels=frame_channels)
        self._metrics, self._measuring = tuple(metrics), False
        self._workers: list[Worker] = []
        self._stepper: Stepper | None = None
        layout = Layout(self.num_envs, observation_space, action_space, len(self._metrics))
        processes = min(processes, self.num_envs)
        if processes < 2:
            self._board = Board(layout, allocate(layout, bytearray))
            self._stepper = Stepper(makers, 0, self._board, self._metrics)
            return
        buffers = allocate(layout, shared)
        self._board = Board(layout, buffers)
        for rows in np.array_split(np.arange(self.num_envs), processes):
            mine = [makers[row] for row in rows]
            self._workers.append(Worker(mine, int(rows[0]), layout, buffers, self._metrics))

    def measure(self) -> None:
        """Put the metrics into the info of every episode's end."""
        self._measuring = bool(self._metrics)

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere."""
        self._board.seeds[:] = [-1 if seed is None else seed for seed in self._seeds]
        self._reset_seeds()
        self._begin("reset")
        self._finish()
        return self._board.observations.copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step.

        Raises:
            ValueError: A discrete action is out of range.
        """
        if isinstance(self.action_space, spaces.Discrete):
            actions = discrete_actions(actions, int(self.action_space.n))
        self._board.actions[:] = actions
        self._begin("step")

    def step_wait(self) -> VecEnvStepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised."""
        self._finish()
        board = self._board
        dones = board.terminated | board.truncated
        infos = [NO_INFO] * self.num_envs
        for env in np.flatnonzero(dones).tolist():
            infos[env] = self._end(env)
        return board.observations.copy(), board.rewards.copy(), dones, infos

    def close(self) -> None:
        """Close the environments and end their processes; harmless when repeated."""
        if self._stepper:
            self._stepper.close()
        for worker in self._workers:
            worker.close()
        self._stepper, self._workers = None, []

    def _begin(self, order: str) -> None:
        if not self._workers and self._stepper is None:
            raise RuntimeError("nothing comes after close()")
        self._order = order
        for worker in self._workers:
            worker.begin(order)

    def _finish(self) -> None:
        if self._stepper:
            getattr(self._stepper, self._order)()
        for worker in self._workers:
            worker.finish()

    def _end(self, env: int) -> dict[str, Any]:
        board = self._board
        truncated = bool(board.truncated[env] and not board.terminated[env])
        metrics = dict(zip(self._metrics, board.metrics[env].tolist(), strict=True)) if self._measuring else None
        return end_of_episode(board.last_observations[env].copy(), truncated=truncated, metrics=metrics)
