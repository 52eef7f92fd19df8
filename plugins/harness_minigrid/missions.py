"""Missions as numbers: which word of a small vocabulary stands at which place."""

from __future__ import annotations

import numpy as np

_COLOURS = "red green blue purple yellow grey"
_OTHERS = (
    "a and at avoid ball box door end fetch find from get go goal hallway key lava matching maze must near object of open "
    "opening pick put reach room rooms square the then to traverse unlock up use you"
)
VOCABULARY = (*_COLOURS.split(), *_OTHERS.split())
LONGEST = 17  # words of LockedRoom's mission, the longest
SIZE = LONGEST * len(VOCABULARY)


class Missions:
    """Turns missions into vectors, each distinct one once."""

    def __init__(self) -> None:
        self._known: dict[bytes, np.ndarray] = {}

    def __call__(self, missions: np.ndarray) -> np.ndarray:
        """Ones and zeros float32 ``(n, SIZE)``, a row of the vocabulary for each place.

        Args:
            missions: As EnvPool gives them, uint8 ``(n, length)``: letters, then zeros.
        """
        return np.stack([self._vector(mission.tobytes()) for mission in missions])

    def _vector(self, mission: bytes) -> np.ndarray:
        if mission not in self._known:
            self._known[mission] = encode(mission.rstrip(b"\0").decode())
        return self._known[mission]


def encode(mission: str) -> np.ndarray:
    """One mission as float32 ``(SIZE,)``.

    Raises:
        ValueError: A word is not in the vocabulary, or there are too many.
    """
    words = mission.replace(",", "").split()
    unknown = [word for word in words if word not in VOCABULARY]
    if unknown or len(words) > LONGEST:
        raise ValueError(f"the mission {mission!r} has unknown words {unknown} or more than {LONGEST}")
    vector = np.zeros((LONGEST, len(VOCABULARY)), np.float32)
    for place, word in enumerate(words):
        vector[place, VOCABULARY.index(word)] = 1
    return vector.ravel()
