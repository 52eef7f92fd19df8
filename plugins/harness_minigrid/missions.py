"""Missions as numbers: which word of a small vocabulary stands at which place."""

from __future__ import annotations

import numpy as np

_COLOURS = "red green blue purple yellow grey"
_OTHERS = (
    "a and at avoid ball box door end fetch find from get go goal hallway key lava matching maze must near object of open "
    "opening pick put reach room rooms square the then to traverse unlock up use you"
)
VOCABULARY = (*_COLOURS.split(), *_OTHERS.split())
MAX_WORDS = 17  # words of LockedRoom's mission, the longest
MISSION_SIZE = MAX_WORDS * len(VOCABULARY)


class MissionEncoder:
    """Turns missions into vectors, each distinct one once."""

    def __init__(self) -> None:
        self._cache: dict[bytes, np.ndarray] = {}

    def __call__(self, missions: np.ndarray) -> np.ndarray:
        """Ones and zeros float32 ``(n, MISSION_SIZE)``, a row of the vocabulary for each place.

        Args:
            missions: As EnvPool gives them, uint8 ``(n, length)``: letters, then zeros.
        """
        return np.stack([self._vector(mission.tobytes()) for mission in missions])

    def _vector(self, mission: bytes) -> np.ndarray:
        if mission not in self._cache:
            self._cache[mission] = encode(mission.rstrip(b"\0").decode())
        return self._cache[mission]


def encode(mission: str) -> np.ndarray:
    """One mission as float32 ``(MISSION_SIZE,)``.

    Raises:
        ValueError: A word is not in the vocabulary, or there are too many.
    """
    words = mission.replace(",", "").split()
    unknown = [word for word in words if word not in VOCABULARY]
    if unknown or len(words) > MAX_WORDS:
        raise ValueError(f"the mission {mission!r} has unknown words {unknown} or more than {MAX_WORDS}")
    vector = np.zeros((MAX_WORDS, len(VOCABULARY)), np.float32)
    for place, word in enumerate(words):
        vector[place, VOCABULARY.index(word)] = 1
    return vector.ravel()
