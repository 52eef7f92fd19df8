"""How much of a game an episode has seen, measured where time is not short: on evaluation environments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from harness_atari.cells import cells
from harness_atari.config import AtariConfig
from harness_atari.mirror_emulator import MirrorEmulator

RAM_METRICS = {"montezuma_revenge": {"rooms": 3}}
"""For each game, the metrics that count a byte's distinct values, and which of the 128 bytes of memory that is.

Montezuma's Revenge keeps the number of the room in byte 3, address 0x83 (Anand et al. 2019, arXiv 1906.08226).
"""


class ExplorationMetrics:
    """Counts, in each running episode of N games, the distinct cells and the distinct values in memory.

    Args:
        config: Settings of the games.
        n_envs: Number of environments, N.
    """

    def __init__(self, config: AtariConfig, n_envs: int) -> None:
        self._ram_metrics = RAM_METRICS.get(config.game, {})
        self._mirrors = [MirrorEmulator(config) for _ in range(n_envs)] if self._ram_metrics else []
        self._expected: list[tuple[int, bool]] = []
        self._visited: list[defaultdict[str, set[bytes | int]]] = [defaultdict(set) for _ in range(n_envs)]

    def seed(self, seeds: Sequence[int]) -> None:
        """Follow games that are seeded so.

        Args:
            seeds: One for each of the N games.
        """
        for mirror, seed in zip(self._mirrors, seeds, strict=bool(self._mirrors)):
            mirror.seed(seed)

    def begin(self, games: Iterable[int], frames: np.ndarray, frame_numbers: np.ndarray) -> None:
        """Begin to count anew in those games that have just begun an episode.

        Args:
            games: Indices of the games.
            frames: The newest frames of all N games, uint8 ``(N, channels, size, size)``.
            frame_numbers: Emulator frames since the seed, of all N games, ``(N,)``.
        """
        games = list(games)
        for game in games:
            self._visited[game].clear()
            if self._mirrors:
                self._mirrors[game].begin(int(frame_numbers[game]))
        self._record(games, frames)

    def act(self, actions: np.ndarray) -> None:
        """Have the same step played that the games are playing meanwhile in ALE's threads."""
        self._expected = [mirror.step(int(actions[game])) for game, mirror in enumerate(self._mirrors)]

    def step(self, frames: np.ndarray, rewards: np.ndarray, terminated: np.ndarray) -> None:
        """Count what the games have come to by a step.

        Args:
            frames: The newest frames, those of the last observation where an episode ended.
            rewards: The games' own, ``(N,)``.
            terminated: Which games are over, ``(N,)``.

        Raises:
            RuntimeError: The memory that was read is not that of the games.
        """
        if self._mirrors and self._expected != list(zip(rewards.tolist(), terminated.tolist(), strict=True)):
            raise RuntimeError("ALE's plain interface and its vector environment have played different games")
        self._record(range(len(frames)), frames)

    def metrics(self, game: int) -> dict[str, float]:
        """The metrics of a game's running episode."""
        return {name: len(values) for name, values in self._visited[game].items()}

    def _record(self, games: Sequence[int], frames: np.ndarray) -> None:
        for game, cell in zip(games, cells(frames[games]), strict=True):
            self._visited[game]["cells"].add(cell)
            if self._mirrors:
                memory = self._mirrors[game].ram()
                for name, byte in self._ram_metrics.items():
                    self._visited[game][name].add(int(memory[byte]))
