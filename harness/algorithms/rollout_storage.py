"""The observations of a rollout, each image once: a stack shares its frames with the stacks before and after it.

SB3's rollout buffer keeps whole observations, and copies all of them into another order before it learns; a method's rollout
would keep both ends of every transition. Here each frame stays as it came, and minibatches of all of them are gathered from
where the frames lie: the same rows in the same order.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer

Index = np.ndarray | tuple[int, int]
"""Rows as SB3 counts them, ``(B,)``, where ``n * T + t`` is step t of environment n; or one step and one environment."""

_GROWTH = 32
"""Episodes begin and end with frames of their own: room for them grows by this fraction of all when it is needed."""


def frames_in_stack(shape: tuple[int, ...], frame_channels: int | None) -> int:
    """Frames in one observation of a shape; 1 where it is no stack of images, or no image at all."""
    return 1 if frame_channels is None or not shape else shape[0] // frame_channels


def _step_and_env(index: Index, n_steps: int) -> tuple[Any, Any]:
    return index if isinstance(index, tuple) else (index % n_steps, index // n_steps)


class FrameStacks:
    """Images, stacked or not, of T steps of N environments and of what the last step shows, put together on demand.

    A stack that does not continue the one before it, as at the beginning of an episode, brings all its frames.

    Args:
        n_steps: T, steps of the rollout.
        n_envs: N, environments that step together.
        shape: Shape of one stack, ``(frames * channels, height, width)``.
        frame_channels: Channels of one frame; the newest come last.
        dtype: Dtype of the pixels.

    Attributes:
        filled: Number of steps whose stacks are known.
    """

    def __init__(self, n_steps: int, n_envs: int, shape: tuple[int, ...], frame_channels: int, dtype: np.dtype[Any]) -> None:
        self.n_steps, self.n_envs, self.channels = n_steps, n_envs, frame_channels
        self.shape, self.dtype, self.depth = shape, dtype, shape[0] // frame_channels
        self.filled = 0
        self._frames = np.empty(((n_steps + self.depth) * n_envs, frame_channels, *shape[1:]), dtype)
        self._used = 0
        self._places = np.empty((n_steps + 1, n_envs, self.depth), dtype=np.int64)
        self._next_places = np.empty((n_steps, n_envs, self.depth), dtype=np.int64)
        self._last = np.empty((n_envs, *shape), dtype)

    @property
    def nbytes(self) -> int:
        """Bytes that are allocated."""
        return sum(array.nbytes for array in (self._frames, self._places, self._next_places, self._last))

    def nbytes_of(self, n_steps: int) -> int:
        """Bytes that a rollout of so many steps takes, in which no episode ends."""
        frames = (n_steps + self.depth) * self.n_envs * self._frames[0].nbytes
        places = (2 * n_steps + 1) * self._places[0].nbytes
        return frames + places + self._last.nbytes

    def clear(self) -> None:
        """Forget every frame; the memory is kept for the next rollout."""
        self._used = self.filled = 0

    def __setitem__(self, step: int, stacks: np.ndarray) -> None:
        """Keep the stacks of a step, ``(N, *shape)``; steps come one after another, and those that are known stay."""
        if step < self.filled:
            return
        continues = np.zeros(self.n_envs, dtype=bool)
        if step:
            same = stacks[:, : -self.channels] == self._last[:, self.channels :]
            continues = same.reshape(self.n_envs, -1).all(axis=1)
            self._places[step, :, :-1] = self._places[step - 1, :, 1:]
        self._places[step, :, -1] = self._append(stacks[:, -self.channels :])
        for env in np.flatnonzero(~continues) if self.depth > 1 else ():
            self._places[step, env, :-1] = self._append(self._apart(stacks[env])[:-1])
        if step:
            self._next_places[step - 1] = self._places[step]
        self._last[...] = stacks
        self.filled = step + 1

    def end(self, env: int, last: np.ndarray) -> None:
        """Note that an episode ended at the step stored last but one, so that the newest stack is the first of another.

        Args:
            env: Number of the environment whose episode ended.
            last: What the episode showed at its end, ``(*shape)``.
        """
        step, frames = self.filled - 2, self._apart(last)
        before = self._places[step, env, 1:]
        if np.array_equal(frames[:-1], self._frames[before]):
            self._next_places[step, env, :-1] = before
            self._next_places[step, env, -1:] = self._append(frames[-1:])
        else:
            self._next_places[step, env] = self._append(frames)

    def __getitem__(self, index: Index) -> np.ndarray:
        """Some stacks, ``(B, *shape)``, or one, ``(*shape,)``; see `Index`."""
        return self.gather(self._places[_step_and_env(index, self.n_steps)])

    def gather(self, places: np.ndarray) -> np.ndarray:
        """A copy of stacks.

        Args:
            places: The places of their frames, int64 ``(..., frames)``.

        Returns:
            The stacks, ``(..., frames * channels, height, width)``.
        """
        return self._frames.take(places, axis=0).reshape(*places.shape[:-1], -1, *self.shape[1:])

    def ends(self, *, following: bool, frames: int) -> np.ndarray:
        """Where the states of all transitions lie, in order of time.

        Args:
            following: Whether it is the states that transitions lead to, the true last ones of episodes included.
            frames: Number of the newest frames of each stack that are asked for.

        Returns:
            Places, int64 ``(T * N, frames)``, for `gather`.
        """
        places = self._next_places if following else self._places[:-1]
        return places.reshape(-1, self.depth)[:, -frames:]

    def _apart(self, stack: np.ndarray) -> np.ndarray:
        return stack.reshape(self.depth, self.channels, *self.shape[1:])

    def _append(self, frames: np.ndarray) -> np.ndarray:
        """Keep frames, ``(B, channels, height, width)``; returns their places, ``(B,)``."""
        first, self._used = self._used, self._used + len(frames)
        if self._used > len(self._frames):  # in place: a copy would need all the memory a second time
            size = self._used + len(self._frames) // _GROWTH
            self._frames.resize((size, *self._frames.shape[1:]), refcheck=False)  # nobody else has a view of it
        self._frames[first : self._used] = frames
        return np.arange(first, self._used)


class CompactRolloutBuffer(RolloutBuffer):
    """SB3's rollout buffer; of images each frame is stored once, and minibatches are the same to the bit.

    Args:
        args: As for SB3's buffer.
        frame_channels: Channels of one frame, if observations are images.
        stacks: Where a method's rollout keeps the same images; ``None`` where there is none.
        kwargs: As for SB3's buffer.
    """

    observations: Any
    """SB3's array, or `FrameStacks` of images."""

    def __init__(
        self, *args: Any, frame_channels: int | None = None, stacks: FrameStacks | None = None, **kwargs: Any
    ) -> None:
        self._frame_channels = frame_channels
        self._stacks = stacks
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        """Forget the rollout."""
        if self._frame_channels is None:
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

    def nbytes_of(self, n_steps: int) -> int:
        """Bytes that a rollout of so many steps takes, images included."""
        arrays = sum(cast(np.ndarray, value).nbytes for value in vars(self).values() if isinstance(value, np.ndarray))
        images = 0 if self._stacks is None else self._stacks.nbytes_of(n_steps)
        return images + arrays * n_steps // self.buffer_size

    def to_torch(self, array: np.ndarray, copy: bool = True) -> torch.Tensor:
        """A tensor on the device; gathering has made a copy already, so that none is needed here."""
        return torch.as_tensor(array, device=self.device)
