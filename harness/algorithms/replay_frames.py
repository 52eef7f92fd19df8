"""The images of a replay buffer, each frame once: stacks, and both ends of transitions, share what they have in common.

SB3's buffer keeps every frame of stacks of d about 2 d times: in d stacks, each as an observation and as a next one. Here a
stack is d numbers of frames, and is put together when it is asked for. Which frames are the same is seen in their pixels, and
never concluded from what an episode should look like, so that every stack comes back as it came.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer

from harness.algorithms.rollout_storage import frames_in_stack

Arrays = Mapping[str, np.ndarray]

OBS, NEXT_OBS = 0, 1
"""The ends of a transition."""

_GROWTH = 64
"""Episodes begin and end with frames of their own: room for them grows by this fraction of all when it is needed."""


class ReplayFrames:
    """Stacks of images of R steps of N environments, which are overwritten in a ring; stacks of zeros to begin with.

    Args:
        n_rows: R, steps that are kept.
        n_envs: N, environments that step together.
        shape: Shape of one stack, ``(frames * channels, height, width)``.
        channels: Channels of one frame; the newest come last.
        dtype: Dtype of the pixels.
    """

    def __init__(self, n_rows: int, n_envs: int, shape: tuple[int, ...], channels: int, dtype: np.dtype[Any]) -> None:
        self.n_rows, self.n_envs, self.shape, self.channels = n_rows, n_envs, shape, channels
        self.depth = shape[0] // channels
        self.frame_shape = (channels, *shape[1:])
        self.places = np.zeros((n_rows, n_envs, 2, self.depth), dtype=np.int32)
        self._frames = np.zeros((1 + (n_rows + self.depth) * n_envs, *self.frame_shape), dtype)
        self._uses = np.zeros(len(self._frames), dtype=np.int32)
        self._uses[0] = 1  # the frame of zeros stays
        self._begun, self._free = 1, list[int]()

    @property
    def nbytes(self) -> int:
        """Bytes that are allocated."""
        return self.places.nbytes + self._frames.nbytes + self._uses.nbytes

    def stacks(self, places: np.ndarray) -> np.ndarray:
        """Stacks ``(..., *shape)`` of the frames at some places, int32 ``(..., depth)``."""
        return self._frames[places].reshape(*places.shape[:-1], *self.shape)

    def put(self, row: int, end: int, stacks: np.ndarray) -> None:
        """Keep the stacks of one end of a step, ``(N, *shape)``; the frames that stood there go if nothing else has them.

        An observation usually is the next observation of the row before, and a next observation one frame more than the
        observation, which must be there already.

        Args:
            row: Row of the step, from 0 to R - 1.
            end: `OBS` or `NEXT_OBS`.
            stacks: The stacks, in the dtype of the pixels.
        """
        stacks = np.asarray(stacks, dtype=self._frames.dtype).reshape(self.n_envs, *self.shape)
        new, older = (0, stacks) if end == OBS else (1, stacks[:, : -self.channels])
        known = (self.places[row - 1, :, NEXT_OBS] if end == OBS else self.places[row, :, OBS])[:, new:]
        same = (older == self._frames[known].reshape(older.shape)).reshape(self.n_envs, -1).all(axis=1)
        places = np.empty((self.n_envs, self.depth), dtype=np.int32)
        for env, frames in enumerate(stacks.reshape(self.n_envs, self.depth, *self.frame_shape)):
            if same[env]:
                places[env, : self.depth - new] = known[env]
                if new:
                    places[env, -1] = self._append(frames[-1])
            else:
                places[env] = self._append_stack(frames)
            np.add.at(self._uses, places[env], 1)
        self._release(self.places[row, :, end])
        self.places[row, :, end] = places

    def rows(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What `fill` needs for some rows.

        Args:
            rows: Their numbers, int64 ``(K,)``.

        Returns:
            ``stacks``, int32 ``(K, N, 2, depth)``, which says where the frames of each stack are in ``frames``.
        """
        used, stacks = np.unique(self.places[rows], return_inverse=True)
        return {
            "stacks": stacks.reshape(len(rows), *self.places.shape[1:]).astype(np.int32),
            "frames": self._frames[used],
        }

    def fill(self, rows: np.ndarray, arrays: Arrays) -> None:
        """Put into some rows what `rows` gave of them.

        Args:
            rows: Their numbers, int64 ``(K,)``.
            arrays: ``stacks`` and ``frames``; frames that none of the stacks has are left out.
        """
        used, stacks = np.unique(arrays["stacks"], return_inverse=True)
        known = np.array([self._append(arrays["frames"][place]) for place in used], dtype=np.int32)
        places = known[stacks.reshape(arrays["stacks"].shape)]
        np.add.at(self._uses, places, 1)
        self._release(self.places[rows])
        self.places[rows] = places

    def _append_stack(self, frames: np.ndarray) -> list[int]:
        """Keep the frames of a stack, ``(depth, *frame_shape)``: an episode may begin with several that are the same."""
        places: list[int] = []
        for position, frame in enumerate(frames):
            repeated = position and np.array_equal(frame, frames[position - 1])
            places.append(places[-1] if repeated else self._append(frame))
        return places

    def _append(self, frame: np.ndarray) -> int:
        """Keep a frame that nothing has yet; returns its place."""
        if self._free:
            place = self._free.pop()
        else:
            place, self._begun = self._begun, self._begun + 1
            if place == len(self._frames):
                self._grow()
        self._frames[place] = frame
        return place

    def _grow(self) -> None:
        """Make room, in place: a copy would need all the memory a second time."""
        size = len(self._frames) + max(len(self._frames) // _GROWTH, 2 * self.depth * self.n_envs)
        if not (self._frames.flags.owndata and self._uses.flags.owndata):  # as after `pickle`
            self._frames, self._uses = self._frames.copy(), self._uses.copy()
        self._frames.resize((size, *self.frame_shape), refcheck=False)  # nobody else has a view of it
        self._uses.resize(size, refcheck=False)

    def _release(self, places: np.ndarray) -> None:
        np.subtract.at(self._uses, places, 1)
        candidates = np.unique(places)
        self._uses[0] = 1
        self._free.extend(candidates[self._uses[candidates] == 0].tolist())


class ReplayStacks:
    """One end of all transitions, indexed as SB3 indexes its arrays.

    Args:
        frames: The frames of both ends.
        end: `OBS` or `NEXT_OBS`.
    """

    def __init__(self, frames: ReplayFrames, end: int) -> None:
        self.frames, self._end = frames, end

    def __setitem__(self, row: int, stacks: np.ndarray) -> None:
        """Keep the stacks of one row, ``(N, *shape)``; observations come before next observations."""
        self.frames.put(row, self._end, stacks)

    def __getitem__(self, index: Any) -> np.ndarray:
        """Stacks ``(..., *shape)`` of some rows, or of pairs of row and environment."""
        rows: Any = cast(tuple[Any, ...], index)[:2] if isinstance(index, tuple) else index
        return self.frames.stacks(self.frames.places[:, :, self._end][rows])


class CompactReplayBuffer(ReplayBuffer):
    """SB3's replay buffer; of stacked images each frame is stored once, and samples are the same to the bit.

    Args:
        buffer_size: As for SB3's buffer.
        observation_space: As for SB3's buffer.
        args: As for SB3's buffer.
        frame_channels: Channels of one frame, if observations are images.
        kwargs: As for SB3's buffer.
    """

    observations: Any
    """SB3's array, or `ReplayStacks` of stacked images."""

    next_observations: Any
    """Likewise."""

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        *args: Any,
        frame_channels: int | None = None,
        **kwargs: Any,
    ) -> None:
        shape = observation_space.shape
        whole = frames_in_stack(shape or (), frame_channels) == 1 or kwargs.get("optimize_memory_usage", False)
        # of the empty space SB3 allocates no images
        shown = observation_space if whole else spaces.Box(0, 255, (0,), np.uint8)
        super().__init__(buffer_size, shown, *args, **kwargs)
        self.frames: ReplayFrames | None = None
        if frame_channels is None or not shape or whole:
            return
        self.observation_space, self.obs_shape = observation_space, shape
        dtype = np.dtype(observation_space.dtype)
        self.frames = ReplayFrames(self.buffer_size, self.n_envs, shape, frame_channels, dtype)
        self.observations, self.next_observations = ReplayStacks(self.frames, OBS), ReplayStacks(self.frames, NEXT_OBS)


def observation_bytes(space: spaces.Space[Any], frame_channels: int | None) -> int:
    """What the observations of one transition take, in memory and on the disk, episodes being long."""
    shape, pixel = space.shape or (), np.dtype(space.dtype).itemsize
    whole = math.prod(shape) * pixel
    depth, number = frames_in_stack(shape, frame_channels), np.dtype(np.int32).itemsize
    if depth == 1:
        return 2 * whole
    return whole // depth + (2 * depth + 1) * number
