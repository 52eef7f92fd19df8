"""A pool with EnvPool's documented semantics whose every episode is written down in advance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces


@dataclass(frozen=True)
class Ending:
    """How an episode ends.

    Attributes:
        length: Steps, at least 1.
        truncated: Cut, rather than terminated.
    """

    length: int
    truncated: bool


class ScriptedPool:
    """Observations ``{"where": [env, episode, step], "nested": {"seed": seed, "last_action": action}}``.

    A step earns ``100 * episode + step``; the reset step earns -1e6 and ignores its action, so that whoever takes it for a
    transition shows it. ``in_order=False`` answers in another order than it was asked.

    Args:
        seeds: One for each environment.
        endings: For each environment, its episodes one after the other; the last one repeats for ever.
        in_order: Whether answers come in the order of asking.
    """

    observation_space = spaces.Dict(
        {
            "where": spaces.Box(0, 1e6, (3,), np.float64),
            "nested": spaces.Dict({"seed": spaces.Box(0, 1e9, (), np.float64), "last_action": spaces.Box(-9, 9, (1,))}),
        }
    )

    def __init__(self, seeds: list[int], endings: list[list[Ending]], *, in_order: bool = True) -> None:
        self.seeds, self.endings, self.in_order = np.array(seeds), endings, in_order
        n = len(seeds)
        self.episode, self.step, self.action = np.full(n, -1), np.zeros(n, int), np.zeros(n)
        self.done, self.answer, self.sent = np.ones(n, bool), None, []

    def ending(self, env: int) -> Ending:
        script = self.endings[env]
        return script[min(self.episode[env], len(script) - 1)]

    def send(self, action: np.ndarray, env_id: np.ndarray) -> None:
        assert self.answer is None, "sent twice without recv"
        assert env_id.dtype == np.int32 and len(action) == len(env_id) > 0
        self.sent.append(env_id.tolist())
        resetting = self.done[env_id]
        self._reset(env_id[resetting])
        stepping = env_id[~resetting]
        self.step[stepping] += 1
        self.action[stepping] = np.asarray(action)[~resetting].reshape(-1)
        reward = np.where(resetting, -1e6, 100 * self.episode[env_id] + self.step[env_id]).astype(np.float32)
        ending = [self.ending(env) for env in env_id]
        over = np.array([self.step[env] >= end.length for env, end in zip(env_id, ending, strict=True)])
        truncated = over & [end.truncated for end in ending]
        self.done[env_id] = over
        self._answer(env_id, reward, over & ~truncated, truncated)

    def recv(self):
        answer, self.answer = self.answer, None
        return answer

    def reset(self, env_id: np.ndarray):
        assert env_id.dtype == np.int32 and len(env_id) > 0
        self.sent.append(env_id.tolist())
        self._reset(env_id)
        nothing = np.zeros(len(env_id), bool)
        self._answer(env_id, nothing.astype(np.float32), nothing, nothing)
        observations, *_, info = self.recv()
        return observations, info

    def _reset(self, envs: np.ndarray) -> None:
        self.episode[envs] += 1
        self.step[envs] = self.action[envs] = 0
        self.done[envs] = False

    def _answer(self, envs: np.ndarray, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray) -> None:
        order = np.arange(len(envs)) if self.in_order else np.arange(len(envs))[::-1]
        envs = envs[order]
        observations = {
            "where": np.stack([envs, self.episode[envs], self.step[envs]], axis=1).astype(np.float64),
            "nested": {"seed": self.seeds[envs].astype(np.float64), "last_action": self.action[envs, None].copy()},
        }
        info = {"env_id": envs.astype(np.int32), "elapsed_step": self.step[envs]}
        self.answer = (observations, reward[order], terminated[order], truncated[order], info)
