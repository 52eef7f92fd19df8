"""What the adapter asks of an EnvPool batch, and how one is opened."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
from gymnasium import spaces

from harness.environments.envpool.opengl import import_envpool


class Pool(Protocol):
    """The part of EnvPool's Gymnasium interface that the adapter uses.

    Every call may name some of the environments; what comes back has one row for each of these. ``info["env_id"]`` says
    which. An environment whose episode has ended takes its reset at the next action sent to it, and ignores the action.
    """

    def send(self, action: np.ndarray, env_id: np.ndarray) -> None:
        """Begin a step of the environments ``env_id`` (int32), one action for each."""

    def recv(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Wait for what was sent: observations, rewards, terminated, truncated and info."""
        ...

    def reset(self, env_id: np.ndarray) -> tuple[Any, dict[str, Any]]:
        """Begin a new episode in the environments ``env_id`` (int32): observations and info."""
        ...

    def render(self, env_id: np.ndarray, side: int) -> np.ndarray:
        """Pictures of the environments ``env_id`` now, uint8 ``(n, side, side, 3)``; of EnvPool's size if ``side`` is 0."""
        ...


@dataclass(frozen=True)
class EnvPoolTask:
    """One of EnvPool's environments with its options.

    Attributes:
        env_id: As registered with EnvPool, such as ``CartPole-v1``.
        options: What EnvPool calls the environment's configuration, such as ``max_episode_steps``.
    """

    env_id: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def spaces(self) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
        """The observation and action space that EnvPool declares, without making an environment."""
        envpool = import_envpool()
        with _without_precision_warnings():
            spec = envpool.make_spec(self.env_id, **self.options)
            return spec.gymnasium_observation_space, spec.gymnasium_action_space

    def open(self, seeds: Sequence[int], threads: int) -> Pool:
        """A batch in lock-step, one environment for each seed; the last reference to it ends its threads.

        Args:
            seeds: Integers below 2**31. EnvPool fixes them for the life of a batch.
            threads: C++ threads that step it; the numbers do not depend on it.
        """
        envpool = import_envpool()
        with _without_precision_warnings():
            pool = envpool.make_gymnasium(
                self.env_id, num_envs=len(seeds), seed=list(seeds), num_threads=threads, **self.options
            )
            _ = pool.observation_space  # EnvPool derives it when first asked, and every step asks
        return _FastPool(pool) if pool.config.get("max_num_players", 1) == 1 else cast("Pool", pool)


class _FastPool:
    """A batch without what EnvPool's Python finds out at every step although it never changes.

    For cheap environments that is a tenth of a step. What EnvPool 1.2.5 makes of actions and of answers stays its own.

    Args:
        pool: EnvPool's, of environments with one player each.
    """

    def __init__(self, pool: Any) -> None:
        self._pool, self._checked = pool, False
        self._keys: list[str] = pool._spec._action_keys
        self._dtype = pool._spec._action_spec[-1][0]

    def send(self, action: np.ndarray, env_id: np.ndarray) -> None:
        """Begin a step; the first one has EnvPool check shape and type of actions."""
        if self._checked:
            *names, _ = self._keys
            self._pool._send([*(env_id for _ in names), action.astype(self._dtype, order="C")])
        else:
            self._pool.send(action, env_id)
            self._checked = True

    def recv(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Finish it."""
        return self._pool._to(self._pool._recv(), False, True)

    def reset(self, env_id: np.ndarray) -> tuple[Any, dict[str, Any]]:
        """Begin new episodes."""
        self._pool._reset(env_id)
        return self._pool._to(self._pool._recv(), True, True)

    def render(self, env_id: np.ndarray, side: int) -> np.ndarray:
        """Pictures from the simulator's own camera."""
        return self._pool._render(env_id, side, side, -1)  # EnvPool's own method refuses unless the batch was made for it


@contextmanager
def _without_precision_warnings() -> Generator[None]:
    """Without Gymnasium's remark that bounds in C++ doubles become float32, which nobody can act on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*precision lowered by casting", category=UserWarning)
        yield
