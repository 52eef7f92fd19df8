"""The rooms of Montezuma's Revenge on a map: where games go in training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from harness.environments.places import NOWHERE, PlaceMap
from harness_atari.config import AtariConfig
from harness_atari.exploration import RAM_METRICS
from harness_atari.mirror_emulator import MirrorEmulator

FOLLOWED = 4
"""The most games of a batch that are followed."""

GAMES_FOR_EACH = 8
"""Games of a batch for each that is followed: it is played a second time, which takes time in training."""

_GAME = "montezuma_revenge"
_FLOORS = (3, 5, 7, 9)  # rooms of each floor from the top, numbered from the left, floor after floor
_WIDTH = max(_FLOORS)


def _pyramid() -> tuple[PlaceMap, np.ndarray]:
    """The map, and the cell of each of the 24 rooms: every floor stands on the middle of the one below."""
    cells = [floor * _WIDTH + (_WIDTH - rooms) // 2 + room for floor, rooms in enumerate(_FLOORS) for room in range(rooms)]
    walls = np.ones(len(_FLOORS) * _WIDTH, dtype=np.bool_)
    walls[cells] = False
    return PlaceMap(len(_FLOORS), _WIDTH, "floor", "room", walls=walls.reshape(len(_FLOORS), _WIDTH)), np.array(cells)


PYRAMID, CELLS = _pyramid()


def followed_games(n_envs: int) -> int:
    """How many of N games are followed, the first ones: one in `GAMES_FOR_EACH`, at least one and at most `FOLLOWED`."""
    return min(FOLLOWED, max(1, n_envs // GAMES_FOR_EACH))


def has_rooms(config: AtariConfig) -> bool:
    """Whether it is known how the rooms of a game lie."""
    return config.game == _GAME


class FollowedRooms:
    """Tells the rooms in which the followed games of N are (`followed_games`); the others are `NOWHERE`.

    A game whose second copy has ever been rewarded otherwise is `NOWHERE` from then on: a run is not lost for a picture.

    Args:
        config: Settings of the games.
        n_envs: Number of games, N.
    """

    def __init__(self, config: AtariConfig, n_envs: int) -> None:
        self._byte = RAM_METRICS[_GAME]["rooms"]
        self._mirrors = [MirrorEmulator(config) for _ in range(followed_games(n_envs))]
        self._expected: list[tuple[int, bool]] = []
        self._places = np.full(n_envs, NOWHERE, dtype=np.int64)
        self._lost: set[int] = set()

    def seed(self, seeds: Sequence[int]) -> None:
        """Follow games that are seeded so.

        Args:
            seeds: One for each of the N games.
        """
        self._lost.clear()
        for mirror, seed in zip(self._mirrors, seeds, strict=False):
            mirror.seed(seed)

    def begin(self, games: Iterable[int], frame_numbers: np.ndarray) -> None:
        """Follow games that have just begun an episode.

        Args:
            games: Indices of the games.
            frame_numbers: Emulator frames since the seed, of all N games, ``(N,)``.
        """
        for game in games:
            if game < len(self._mirrors) and game not in self._lost:
                self._mirrors[game].begin(int(frame_numbers[game]))

    def act(self, actions: np.ndarray) -> None:
        """Have the same step played that the games are playing meanwhile in ALE's threads."""
        self._expected = [
            (0, False) if game in self._lost else mirror.step(int(actions[game])) for game, mirror in enumerate(self._mirrors)
        ]

    def step(self, rewards: np.ndarray, terminated: np.ndarray) -> None:
        """See where a step has led.

        Args:
            rewards: The games' own, ``(N,)``.
            terminated: Which games are over, ``(N,)``.
        """
        self._places = np.full(len(rewards), NOWHERE, dtype=np.int64)
        for game, mirror in enumerate(self._mirrors):
            if self._expected[game] != (float(rewards[game]), bool(terminated[game])):
                self._lost.add(game)
            if game not in self._lost:
                self._places[game] = _cell(int(mirror.ram()[self._byte]))

    @property
    def places(self) -> np.ndarray:
        """The cell of `PYRAMID` of each game, int64 ``(N,)``."""
        return self._places


def _cell(room: int) -> int:
    return int(CELLS[room]) if room < len(CELLS) else NOWHERE
