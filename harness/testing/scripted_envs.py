"""Kinds of small environments to try a method in, and scripts of what happens in them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from gymnasium import spaces as gym_spaces

from harness.environments.base import NO_INFO, HarnessVecEnv, episode_end_info
from harness.rewards import Spaces

N_ENVS = 4
N_STEPS = 6
_PATTERN = 7
"""Cells per side of the random patterns that images show; pixel noise would look the same to a convolution everywhere."""

_POOL, _POOL_SEED = 3, 77
"""States of a recurring script, and the seed that draws them, for all such scripts alike."""


@dataclass(frozen=True)
class EnvironmentKind:
    """Environments of one kind.

    Attributes:
        observations: ``vectors`` or ``images``.
        actions: ``discrete`` or ``continuous``.
        spaces: Spaces of one environment.
    """

    observations: str
    actions: str
    spaces: Spaces

    def __str__(self) -> str:
        return f"{self.observations} with {self.actions} actions"


@dataclass(frozen=True)
class Script:
    """Everything that happens in N environments during T steps, before any method looks at it.

    Attributes:
        obs: What the agent sees, ``(T + 1, N, *shape)``; after an episode's end the first observation of the next.
        final: The true last observation wherever an episode ends, ``(T, N, *shape)``; not looked at elsewhere.
        action: ``(T, N)`` or ``(T, N, *shape)``.
        reward: float32 ``(T, N)``.
        terminated: bool ``(T, N)``.
        truncated: bool ``(T, N)``.
    """

    obs: np.ndarray
    final: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def __len__(self) -> int:
        return len(self.action)

    @property
    def done(self) -> np.ndarray:
        """Where an episode ends, bool ``(T, N)``."""
        return self.terminated | self.truncated

    @property
    def next_obs(self) -> np.ndarray:
        """Where each step led, ``(T, N, *shape)``: the true last observation at the end of an episode."""
        done = self.done.reshape(*self.done.shape, *(1,) * (self.obs.ndim - 2))
        return np.where(done, self.final, self.obs[1:])

    def with_ends(self, *ends: tuple[int, int], truncated: bool = False) -> Script:
        """The same script, in which episodes end at these (step, environment) and nowhere else.

        Args:
            ends: Step and environment of each end.
            truncated: Whether they are cut there, instead of ending by themselves.
        """
        happens, never = np.zeros_like(self.terminated), np.zeros_like(self.truncated)
        if ends:
            happens[tuple(np.array(ends).T)] = True
        return replace(self, terminated=never if truncated else happens, truncated=happens if truncated else never)

    def keeping(self, other: Script, **kept: np.ndarray) -> Script:
        """Another script, which agrees with this one where the masks, one for each field named, are true."""
        changed = {field.name: getattr(other, field.name).copy() for field in fields(self)}
        for name, mask in kept.items():
            changed[name][mask] = getattr(self, name)[mask]
        return Script(**changed)


class ScriptedVecEnv(HarnessVecEnv):
    """Environments in which exactly what a script says happens, whatever is done; the script repeats after T steps.

    Args:
        spaces: Spaces of one environment.
        script: What happens at each step in each environment.
    """

    def __init__(self, spaces: Spaces, script: Script) -> None:
        super().__init__(script.action.shape[1], spaces.observation, spaces.action, frame_channels=spaces.frame_channels)
        self.script = script
        self.time = 0

    def reset(self) -> np.ndarray:
        """Begin the script again."""
        self._reset_seeds()
        self.time = 0
        return self.script.obs[0].copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Take no notice of the actions."""

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Do what the script says."""
        now, self.time = self.time, (self.time + 1) % len(self.script)
        done, infos = self.script.done[now], [NO_INFO] * self.num_envs
        for i in np.flatnonzero(done):
            infos[i] = episode_end_info(self.script.final[now, i].copy(), truncated=bool(self.script.truncated[now, i]))
        return self.script.obs[now + 1].copy(), self.script.reward[now].copy(), done.copy(), infos

    def close(self) -> None:
        """Nothing to release."""


def random_script(kind: EnvironmentKind, seed: int, *, n_steps: int = N_STEPS, n_envs: int = N_ENVS) -> Script:
    """A script of unrelated random observations in which a tenth of all steps ends an episode, half of them by a time limit.

    Args:
        kind: Whose observations and actions.
        seed: Equal seeds, equal scripts.
        n_steps: Number of steps, T.
        n_envs: Number of environments, N.
    """
    rng = np.random.default_rng(seed)
    ends = rng.random((n_steps, n_envs))
    return Script(
        obs=_observations(kind, rng, n_steps + 1, n_envs),
        final=_observations(kind, rng, n_steps, n_envs),
        action=_actions(kind, rng, n_steps, n_envs),
        reward=rng.standard_normal((n_steps, n_envs)).astype(np.float32),
        terminated=ends < 0.05,
        truncated=(ends >= 0.05) & (ends < 0.1),
    )


def recurring_script(kind: EnvironmentKind, seed: int, *, n_steps: int = N_STEPS, n_envs: int = N_ENVS) -> Script:
    """A script of very few states, which come again within episodes, in later ones, in other environments and other scripts.

    Where an episode ends, the state that would have followed is its last. Arguments are those of `random_script`.
    """
    script, rng = random_script(kind, seed, n_steps=n_steps, n_envs=n_envs), np.random.default_rng(seed + 1000)
    pool = _observations(kind, np.random.default_rng(_POOL_SEED), _POOL)
    states = pool[rng.integers(0, _POOL, (n_steps + 1, n_envs))]
    return replace(script, obs=states, final=states[1:].copy())


def constant_script(kind: EnvironmentKind, value: float, *, n_steps: int = N_STEPS, n_envs: int = N_ENVS) -> Script:
    """A script in which every number of every observation is the same."""
    script = random_script(kind, 0, n_steps=n_steps, n_envs=n_envs)
    return replace(script, obs=np.full_like(script.obs, value), final=np.full_like(script.final, value))


def _observations(kind: EnvironmentKind, rng: np.random.Generator, *lead: int) -> np.ndarray:
    shape = kind.spaces.observation.shape
    assert shape is not None
    if kind.observations == "vectors":
        return rng.standard_normal((*lead, *shape)).astype(np.float32)
    pattern = rng.integers(0, 256, (*lead, shape[0], _PATTERN, _PATTERN), dtype=np.uint8)
    return pattern.repeat(shape[1] // _PATTERN, axis=-2).repeat(shape[2] // _PATTERN, axis=-1)


def _actions(kind: EnvironmentKind, rng: np.random.Generator, *lead: int) -> np.ndarray:
    space = kind.spaces.action
    if isinstance(space, gym_spaces.Discrete):
        return rng.integers(0, space.n, lead)
    assert space.shape is not None
    return rng.uniform(-1, 1, (*lead, *space.shape)).astype(np.float32)


_VECTORS = gym_spaces.Box(-np.inf, np.inf, (6,), np.float32)
_IMAGES = gym_spaces.Box(0, 255, (4, 84, 84), np.uint8)
_DISCRETE = gym_spaces.Discrete(3)
_CONTINUOUS = gym_spaces.Box(-1, 1, (2,), np.float32)

ENVIRONMENT_KINDS = (
    EnvironmentKind("vectors", "continuous", Spaces(_VECTORS, _CONTINUOUS)),
    EnvironmentKind("vectors", "discrete", Spaces(_VECTORS, _DISCRETE)),
    EnvironmentKind("images", "discrete", Spaces(_IMAGES, _DISCRETE, frame_channels=1)),
    EnvironmentKind("images", "continuous", Spaces(_IMAGES, _CONTINUOUS, frame_channels=1)),
)
"""Every kind; of each kind of observation, what most environments have for actions comes first."""
