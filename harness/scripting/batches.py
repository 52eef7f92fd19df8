"""Transitions from arrays: a method without any environment."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import ArrayLike
from torch import Tensor

from harness.errors import UserError
from harness.rewards import IntrinsicReward, Transitions


def make_transitions(
    method: IntrinsicReward[Any],
    obs: ArrayLike | Tensor,
    action: ArrayLike | Tensor,
    next_obs: ArrayLike | Tensor,
    *,
    reward: ArrayLike | Tensor | None = None,
    terminated: ArrayLike | Tensor | None = None,
    truncated: ArrayLike | Tensor | None = None,
    env_index: ArrayLike | Tensor | None = None,
) -> Transitions:
    """B transitions as a method takes them: what it sees of observations, on its device.

    Args:
        method: What they are for; its ``update``, ``observe`` and ``bonus`` take what is returned.
        obs: s_t, ``(B, *shape)``, arrays or tensors of the method's observation space; images are channel-first.
        action: a_t, ``(B,)`` for discrete actions and ``(B, *shape)`` for others.
        next_obs: s_{t+1}, ``(B, *shape)``: the true last observation where an episode ended.
        reward: Extrinsic reward ``(B,)``; zeros by default.
        terminated: Whether the episode ended in the environment's sense, ``(B,)``; nowhere by default.
        truncated: Whether the episode was cut, ``(B,)``; nowhere by default, and not where it terminated as well.
        env_index: The environment of each transition, ``(B,)``; by default rows are N environments side by side.

    Raises:
        UserError: A shape or a number does not fit the method.
    """
    numbers = torch.arange(len(np.atleast_1d(_array(action)))) % method.n_envs
    batch = len(numbers)
    fits = _Fits(method, batch)
    ended = fits.rows("terminated", terminated, torch.bool)
    index = fits.rows("env_index", numbers if env_index is None else env_index, torch.int64)
    if batch and not 0 <= int(index.min()) <= int(index.max()) < method.n_envs:
        raise UserError(f"env_index must be from 0 to {method.n_envs - 1}: the method was made for n_envs={method.n_envs}")
    return Transitions(
        obs=fits.observations("obs", obs),
        action=fits.actions(action),
        next_obs=fits.observations("next_obs", next_obs),
        reward=fits.rows("reward", reward, torch.float32),
        terminated=ended,
        truncated=fits.rows("truncated", truncated, torch.bool) & ~ended,
        env_index=index,
    )


class _Fits:
    """Turns arrays of B rows into tensors for a method, and refuses those that do not fit it."""

    def __init__(self, method: IntrinsicReward[Any], batch: int) -> None:
        self.method, self.batch = method, batch

    def observations(self, name: str, values: ArrayLike | Tensor) -> Tensor:
        space = self.method.spaces.observation
        array = self._of_shape(name, values, space.shape or ())
        if space.dtype == np.uint8 and array.dtype != np.uint8:
            raise UserError(f"{name} must be uint8, as the method's observations are, not {array.dtype}")
        method_obs = self.method.view(array.astype(space.dtype, copy=False))
        return torch.as_tensor(method_obs, device=self.method.device)

    def actions(self, values: ArrayLike | Tensor) -> Tensor:
        space = self.method.spaces.action
        array = self._of_shape("action", values, space.shape or ())
        if isinstance(space, spaces.Box):
            return torch.as_tensor(array.astype(np.float32), device=self.method.device)
        if isinstance(space, spaces.Discrete) and len(array):
            first, last = int(space.start), int(space.start + space.n) - 1
            if not first <= array.min() <= array.max() <= last:
                raise UserError(f"actions must be from {first} to {last}, not from {array.min()} to {array.max()}")
        return torch.as_tensor(array.astype(np.int64), device=self.method.device)

    def rows(self, name: str, values: ArrayLike | Tensor | None, dtype: torch.dtype) -> Tensor:
        if values is None:
            return torch.zeros(self.batch, dtype=dtype, device=self.method.device)
        return torch.as_tensor(self._of_shape(name, values, ())).to(self.method.device, dtype)

    def _of_shape(self, name: str, values: ArrayLike | Tensor, shape: tuple[int, ...]) -> np.ndarray:
        array = _array(values)
        wanted = (self.batch, *shape)
        if array.shape != wanted:
            channel_last = len(shape) == 3 and array.shape == (self.batch, *shape[1:], shape[0])
            hint = "; images are channel-first, and these are channel-last: np.moveaxis(images, -1, 1)" if channel_last else ""
            raise UserError(f"{name} must have shape {wanted} for {self.batch} transitions, not {array.shape}{hint}")
        return array


def _array(values: ArrayLike | Tensor) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
