"""A replay buffer on the disk: each checkpoint adds the transitions since the last one, and never writes the others again.

``checkpoint/replay/`` holds the files, see `harness.runs.segments`; a row is a vector step of SB3's arrays. Where the buffer
keeps each frame once, so does every file with those of its rows; files with whole stacks, of runs that were begun before, are
read all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer

from harness.algorithms.replay_frames import NEXT_OBS, OBS, CompactReplayBuffer, ReplayFrames, observation_bytes
from harness.runs import segments
from harness.runs.segments import Arrays, Segment, Segments

_OBSERVATIONS = ("observations", "next_observations")
_OTHERS = ("actions", "rewards", "dones", "timeouts")


class ReplayStore:
    """What is in a replay buffer, and which of it is on the disk.

    Args:
        buffer: Without SB3's ``optimize_memory_usage``, which keeps no transition by itself.
    """

    def __init__(self, buffer: ReplayBuffer) -> None:
        self.buffer = buffer
        self._added = 0
        self._emptied = 0
        self._segments = Segments("the replay buffer")

    @property
    def bytes_on_disk(self) -> int:
        """Bytes of the files that the last `save` named."""
        return self._segments.bytes

    def record_added(self, n_steps: int) -> None:
        """Note that so many vector steps were added to the buffer."""
        self._added += n_steps

    def clear(self) -> None:
        """Forget every transition; files go with the next checkpoint."""
        self.buffer.reset()
        self._added = 0
        self._segments.clear()
        self._emptied += 1

    def save(self, folder: Path, *, last: bool = False) -> dict[str, Any]:
        """Write what is not on the disk yet.

        Args:
            folder: Where files go; created if need be.
            last: The run ends here, and nothing will be sampled any more: name no file, so that `remove_unreferenced` removes
                them all.

        Returns:
            What `load` needs, as a tree for the checkpoint.
        """
        if last:
            self._segments.clear()
            return {"added": 0, "emptied": self._emptied, "segments": []}
        self._segments.drop_before(self._oldest_step)
        end = self._segments.end
        for start, stop in self._segment_ranges(self._oldest_step if end is None else end):
            self._segments.append(folder, f"{self._emptied:04d}", start, self._rows(start, stop))
        return {"added": self._added, "emptied": self._emptied, "segments": self._segments.as_tree()}

    def load(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Fill the buffer as it was when `save` gave this.

        Raises:
            RunError: A file is missing or damaged.
        """
        self._added, self._emptied = state["added"], state["emptied"]
        self._segments.load_tree(state["segments"])
        for segment in self._segments:
            self._fill(segment, self._segments.read(folder, segment))
        size = self.buffer.buffer_size
        self.buffer.pos, self.buffer.full = self._added % size, self._added >= size

    def remove_unreferenced(self, folder: Path) -> None:
        """Remove every file that the last `save` did not name; for when the checkpoint that names them is complete."""
        self._segments.remove_unreferenced(folder)

    @property
    def _frames(self) -> ReplayFrames | None:
        """What keeps the images, each frame once; ``None`` where SB3's arrays do."""
        return self.buffer.frames if isinstance(self.buffer, CompactReplayBuffer) else None

    @property
    def _oldest_step(self) -> int:
        """The first vector step that the buffer still holds."""
        return max(0, self._added - self.buffer.buffer_size)

    def _segment_ranges(self, first: int) -> Iterator[tuple[int, int]]:
        channels = None if self._frames is None else self._frames.channels
        space = cast(spaces.Space[Any], self.buffer.observation_space)
        images = self.buffer.n_envs * observation_bytes(space, channels)
        row_bytes = images + sum(getattr(self.buffer, name)[0].nbytes for name in _OTHERS)
        rows = max(1, segments.SEGMENT_BYTES // row_bytes)
        for start in range(first, self._added, rows):
            yield start, min(start + rows, self._added)

    def _rows(self, first: int, end: int) -> dict[str, np.ndarray]:
        places = np.arange(first, end) % self.buffer.buffer_size
        frames = self._frames
        others = {name: getattr(self.buffer, name)[places] for name in _OTHERS}
        if frames is None:
            return {name: getattr(self.buffer, name)[places] for name in _OBSERVATIONS} | others
        return others | frames.rows(places)

    def _fill(self, segment: Segment, arrays: Arrays) -> None:
        first = max(segment.first, self._oldest_step)
        places = np.arange(first, segment.end) % self.buffer.buffer_size
        kept = slice(first - segment.first, None)
        for name in _OTHERS:
            getattr(self.buffer, name)[places] = arrays[name][kept]
        frames = self._frames
        if frames is None:
            for name in _OBSERVATIONS:
                getattr(self.buffer, name)[places] = arrays[name][kept]
        elif "frames" in arrays:
            frames.fill(places, {"stacks": arrays["stacks"][kept], "frames": arrays["frames"]})
        else:
            _fill_with_stacks(frames, places, *(arrays[name][kept] for name in _OBSERVATIONS))


def _fill_with_stacks(frames: ReplayFrames, rows: np.ndarray, observations: np.ndarray, next_observations: np.ndarray) -> None:
    for row, obs, next_obs in zip(rows.tolist(), observations, next_observations, strict=True):
        frames.put(row, OBS, obs)
        frames.put(row, NEXT_OBS, next_obs)
