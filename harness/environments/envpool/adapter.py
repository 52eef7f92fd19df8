"""From EnvPool's autoreset to Stable-Baselines3's.

EnvPool resets an environment at the step *after* its episode's last one: that step ignores its action, earns nothing and shows
the first observation of the next episode. SB3 expects this observation at the last step itself. Here those environments whose
episode has just ended, and only those, take their reset at once, in a second round of the same C++ threads. The reset step is
therefore never seen as a transition, the true last observation is what the first round has brought, and environments stay in
step although their episodes do not.

Facts of EnvPool 1.2.5 that this is built around (each is held by a test):

* A batch whose size is its number of environments answers for exactly those that were asked, in the order of asking.
* Every answer is freshly allocated, so nothing needs copying for the caller to keep it.
* Seeds are fixed when a batch is made, one for each environment if a list is given; ``reset(seed=...)`` is ignored. So
  `EnvPoolVecEnv.reseed` has the next `EnvPoolVecEnv.reset` make a new batch: about 50 ms per environment for MuJoCo.
* ``truncated`` is set when an episode ends at the step of the limit, also if it would have ended there without one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from harness.environments.base import NO_INFO, HarnessVecEnv, StepReturn, episode_end_info
from harness.environments.envpool.actions import ActionConverter
from harness.environments.envpool.batches import StepResult, assign_rows, sort_rows
from harness.environments.envpool.observations import ObservationConverter
from harness.environments.envpool.opengl import require_opengl
from harness.environments.envpool.pool import Pool
from harness.environments.episode_metrics import EpisodeMetrics
from harness.environments.places import PlaceMap, Places

_OPENGL_SIDE = 240
"""Pixels of a picture's side where OpenGL draws it: without a GPU, EnvPool's 480 take twenty times as long."""


class EnvPoolVecEnv(HarnessVecEnv):
    """N environments of one EnvPool batch; see `HarnessVecEnv` for what is promised.

    Args:
        open_pool: Makes a batch of N environments from as many seeds, such as `EnvPoolTask.open` with its threads given.
        num_envs: Number of environments, N.
        observations: What becomes of EnvPool's observations.
        actions: What becomes of the agent's actions.
        action_repeat: How often each action is taken; rewards are added up, and the last observation counts. An episode
            that ends on the way ends the step.
        rewards: What a batch earns, ``(n,)``, where EnvPool's own rewards are known to be wrong.
        metrics: Makes what `enable_metrics` turns on, for N environments.
        draw: Where pictures come from: a function of one observation as the agent sees it, EnvPool's ``engine``, or its
            ``opengl`` where that needs OpenGL, as MuJoCo does; ``None`` for `HarnessVecEnv`'s own.
        places: The map of positions, which are told by what EnvPool gives, observations before they are converted; ``None``
            where nothing tells them.
    """

    def __init__(
        self,
        open_pool: Callable[[list[int]], Pool],
        num_envs: int,
        observations: ObservationConverter,
        actions: ActionConverter,
        *,
        action_repeat: int = 1,
        rewards: Callable[[StepResult], np.ndarray] | None = None,
        metrics: Callable[[int], EpisodeMetrics] | None = None,
        draw: Callable[[np.ndarray], np.ndarray] | Literal["engine", "opengl"] | None = None,
        places: Places | None = None,
    ) -> None:
        super().__init__(num_envs, observations.space, actions.space, frame_channels=observations.frame_channels)
        self._open_pool, self._observations, self._actions = open_pool, observations, actions
        self._action_repeat, self._rewards = action_repeat, rewards
        self._make_metrics, self._draw = metrics, draw
        self._metrics: EpisodeMetrics | None = None
        self._known_places, self._follows_places, self._places = places, False, np.empty(0)
        self._pool: Pool | None = None
        self._envs = np.arange(num_envs, dtype=np.int32)
        self.reseed((np.random.SeedSequence().generate_state(num_envs) >> 1).tolist())

    def enable_metrics(self) -> None:
        """Put the family's metrics, if it has any, into the info of every episode's end."""
        self._metrics = self._make_metrics(self.num_envs) if self._make_metrics else None

    def follow_places(self) -> PlaceMap | None:
        """Look after each step where environments are, if that can be told."""
        self._follows_places = self._known_places is not None
        return self._known_places.map if self._known_places else None

    def places(self) -> np.ndarray:
        """The cell to which the last step has led each environment."""
        return self._places

    def picture(self, observation: np.ndarray, env: int | None) -> np.ndarray | None:
        """What was chosen as ``draw``; EnvPool shows environments as they are, and so no episode's last observation.

        Raises:
            UserError: It takes OpenGL, and there is none.
        """
        if self._draw is None:
            return super().picture(observation, env)
        if callable(self._draw):
            return self._draw(observation)
        if env is None:
            return None
        if self._draw == "opengl":
            require_opengl()
        side = _OPENGL_SIDE if self._draw == "opengl" else 0
        return np.array(self._require_pool.render(self._envs[env : env + 1], side)[0])

    def reset(self) -> np.ndarray:
        """Begin a new episode everywhere; makes a new batch after `reseed`."""
        if None not in self._seeds:
            self._pool = None  # its threads and models go before those of the next one come
            self._pool = self._open_pool([int(seed) for seed in self._seeds if seed is not None])
            self._reset_seeds()
        return self._reset_envs(self._envs)

    def step_async(self, actions: np.ndarray) -> None:
        """Begin a step in EnvPool's threads.

        Raises:
            ValueError: A discrete action is out of range.
        """
        self._sent = self._actions.convert(actions)
        self._require_pool.send(self._sent, self._envs)

    def step_wait(self) -> StepReturn:
        """Finish the step; see `HarnessVecEnv` for what is promised."""
        batch = self._receive(self._envs)
        for _ in range(self._action_repeat - 1):
            batch = self._repeat_action(batch)
        if self._follows_places and self._known_places:
            self._places = self._known_places.locate(batch.observations, batch.info)
        observations, dones = self._observations(batch.observations), batch.dones
        infos = [NO_INFO] * self.num_envs
        if self._metrics:
            self._metrics.step(batch.observations, batch.rewards, batch.info)
        if dones.any():
            ended = np.flatnonzero(dones).astype(np.int32)
            for env in ended.tolist():
                infos[env] = self._end_info(env, observations, batch)
            observations[ended] = self._reset_envs(ended)
        return observations, batch.rewards.astype(np.float32, copy=False), dones, infos

    def close(self) -> None:
        """End EnvPool's threads and free its environments; harmless when repeated."""
        self._pool = None

    @property
    def _require_pool(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("reset() comes before the first step, and nothing comes after close()")
        return self._pool

    def _receive(self, envs: np.ndarray) -> StepResult:
        batch = StepResult(*self._require_pool.recv())
        batch = sort_rows(batch, batch.info, envs)
        return batch._replace(rewards=self._rewards(batch)) if self._rewards else batch

    def _repeat_action(self, batch: StepResult) -> StepResult:
        """Take the step's action once more wherever the episode goes on."""
        going = np.flatnonzero(~batch.dones).astype(np.int32)
        if not len(going):
            return batch
        self._require_pool.send(self._sent[going], going)
        more = self._receive(going)
        more = more._replace(rewards=more.rewards + batch.rewards[going])
        if len(going) == self.num_envs:
            return more
        assign_rows(batch, going, more)
        return batch

    def _reset_envs(self, envs: np.ndarray) -> np.ndarray:
        """The first observations of new episodes in some environments."""
        observations, info = self._require_pool.reset(envs)
        observations, info = sort_rows((observations, info), info, envs)
        if self._metrics:
            self._metrics.begin(envs, observations, info)
        return self._observations(observations)

    def _end_info(self, env: int, observations: np.ndarray, batch: StepResult) -> dict[str, Any]:
        truncated = bool(batch.truncated[env] and not batch.terminated[env])
        metrics = self._metrics.metrics(env) if self._metrics else None
        return episode_end_info(observations[env].copy(), truncated=truncated, metrics=metrics)
