"""The observations of a rollout, each image once: a stack shares its frames with the stacks before and after it.

SB3's rollout buffer keeps whole observations, and copies all of them into another order before it learns. Here they stay as
they came, and minibatches are gathered from them: the same rows in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer

Index = np.ndarray | tuple[int, int]
"""Rows as SB3 counts them, ``(B,)``, where ``n * T + t`` is step t of environment n; or one step and one environment."""


def frames_in_stack(shape: tuple[int, ...], frame_channels: int | None) -> int:
    """Frames in one observation of a shape; 1 where it is no stack of images, or no image at all."""
    return 1 if frame_channels is None or not shape else shape[0] // frame_channels


def _step_and_env(index: Index, n_steps: int) -> tuple[Any, Any]:
    return index if isinstance(index, tuple) else (index % n_steps, index // n_steps)


class FrameStacks:
    """Stacked images of T steps of N environments, put together again when they are asked for.

    A stack that does not continue the one before it, as at the beginning of an episode, brings all its frames.

    Args:
        n_steps: T, steps of the rollout.
        n_envs: N, environments that step together.
        shape: Shape of one stack, ``(frames * channels, height, width)``.
        frame_channels: Channels of one frame; the newest come last.
        dtype: Dtype of the pixels.
    """

    def __init__(self, n_steps: int, n_envs: int, shape: tuple[int, ...], frame_channels: int, dtype: np.dtype[Any]) -> None:
        self.n_steps, self.n_envs, self.channels = n_steps, n_envs, frame_channels
        self.shape, self.depth = shape, shape[0] // frame_channels
        frame = (frame_channels, *shape[1:])
        self._frames = np.empty(((n_steps + self.depth) * n_envs, *frame), dtype)
        self._used = 0
        self._places = np.empty((n_steps, n_envs, self.depth), dtype=np.int64)
        self._last = np.empty((n_envs, *shape), dtype)

    @property
    def nbytes(self) -> int:
        """Bytes that are allocated."""
        return self._frames.nbytes + self._places.nbytes + self._last.nbytes

    def clear(self) -> None:
        """Forget every frame; the memory is kept for the next rollout."""
        self._used = 0

    def __setitem__(self, step: int, stacks: np.ndarray) -> None:
        """Keep the stacks of a step, ``(N, *shape)``; steps come one after another."""
        continues = np.zeros(self.n_envs, dtype=bool)
        if step:
            same = stacks[:, : -self.channels] == self._last[:, self.channels :]
            continues = same.reshape(self.n_envs, -1).all(axis=1)
            self._places[step, :, :-1] = self._places[step - 1, :, 1:]
        self._places[step, :, -1] = self._append(stacks[:, -self.channels :])
        for env in np.flatnonzero(~continues):
            older = stacks[env, : -self.channels].reshape(self.depth - 1, self.channels, *self.shape[1:])
            self._places[step, env, :-1] = self._append(older)
        self._last[...] = stacks

    def __getitem__(self, index: Index) -> np.ndarray:
        """Some stacks, ``(B, *shape)``, or one, ``(*shape,)``; see `Index`."""
        places = self._places[_step_and_env(index, self.n_steps)]
        return self._frames[places].reshape(*places.shape[:-1], *self.shape)

    def _append(self, frames: np.ndarray) -> np.ndarray:
        """Keep frames, ``(B, channels, height, width)``; returns their places, ``(B,)``."""
        first, self._used = self._used, self._used + len(frames)
        if self._used > len(self._frames):
            grown = np.empty((self._used + len(self._frames) // 8, *self._frames.shape[1:]), self._frames.dtype)
            grown[:first] = self._frames[:first]
            self._frames = grown
        self._frames[first : self._used] = frames
        return np.arange(first, self._used)


class CompactRolloutBuffer(RolloutBuffer):
    """SB3's rollout buffer; of stacked images each frame is stored once, and minibatches are the same to the bit.

    Args:
        args: As for SB3's buffer.
        frame_channels: Channels of one frame, if observations are images.
        kwargs: As for SB3's buffer.
    """

    observations: Any
    """SB3's array, or `FrameStacks` of stacked images."""

    def __init__(self, *args: Any, frame_channels: int | None = None, **kwargs: Any) -> None:
        self._frame_channels = frame_channels
        self._stacks: FrameStacks | None = None
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        """Forget the rollout."""
        if self._frame_channels is None or frames_in_stack(tuple(self.obs_shape), self._frame_channels) == 1:
            super().reset()
            return
        shape, self.obs_shape = self.obs_shape, (0,)  # SB3 allocates none of its own
        super().reset()
        self.obs_shape = shape
        if self._stacks is None:
            dtype = np.dtype(self.observation_space.dtype)
            self._stacks = FrameStacks(self.buffer_size, self.n_envs, tuple(shape), self._frame_channels, dtype)
        self._stacks.clear()
        self.observations = self._stacks

    @staticmethod
    def swap_and_flatten(arr: Any) -> Any:
        """SB3's order of rows for arrays; what is stored here gives its rows in that order already."""
        return arr if isinstance(arr, FrameStacks) else RolloutBuffer.swap_and_flatten(arr)

    def to_torch(self, array: np.ndarray, copy: bool = True) -> torch.Tensor:
        """A tensor on the device; gathering has made a copy already, so that none is needed here."""
        return torch.as_tensor(array, device=self.device)
