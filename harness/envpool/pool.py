"""What the adapter asks of an EnvPool batch, and how one is opened."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
from gymnasium import spaces


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


@dataclass(frozen=True)
class EnvPoolTask:
    """One of EnvPool's environments with its options.

    Attributes:
        env_id: As registered with EnvPool, such as ``CartPole-v1``.
        options: What EnvPool calls the environment's configuration, such as ``max_episode_steps``.
    """

    env_id: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def spaces(self) -> tuple[spaces.Space, spaces.Space]:
        """The observation and action space that EnvPool declares, without making an environment."""
        import envpool

        with _quiet():
            spec = envpool.make_spec(self.env_id, **self.options)
            return spec.gymnasium_observation_space, spec.gymnasium_action_space

    def open(self, seeds: Sequence[int], threads: int) -> Pool:
        """A batch in lock-step, one environment for each seed; the last reference to it ends its threads.

        Args:
            seeds: Integers below 2**31. EnvPool fixes them for the life of a batch.
            threads: C++ threads that step it; the numbers do not depend on it.
        """
        import envpool

        with _quiet():
            pool = envpool.make_gymnasium(
                self.env_id, num_envs=len(seeds), seed=list(seeds), num_threads=threads, **self.options
            )
            _ = pool.observation_space  # EnvPool derives it when first asked, and every step asks
        return cast("Pool", pool)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Gymnasium's remark that bounds in C++ doubles become float32, which nobody can act on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*precision lowered by casting", category=UserWarning)
        yield
