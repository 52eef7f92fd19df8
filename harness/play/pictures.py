"""Pictures for people: enlarged without blurring, and several of them in a row."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

_SMALLEST_SIDE = 240
"""Pixels that the shorter side of a picture has at least, once it is enlarged."""

STRIP_PICTURES = 8
"""Pictures of a strip; fewer where an episode has fewer."""

STRIP_HEIGHT = 160
_GAP = 6


def enlarge(picture: np.ndarray, smallest_side: int = _SMALLEST_SIDE) -> np.ndarray:
    """A picture whose every pixel is repeated, so that it can be seen: simulators show 64 or 84 of them."""
    factor = -(-smallest_side // max(1, min(picture.shape[:2])))
    return picture if factor <= 1 else picture.repeat(factor, axis=0).repeat(factor, axis=1)


def evenly_spaced(count: int, most: int = STRIP_PICTURES) -> list[int]:
    """Indices from the first to the last of ``count`` pictures, as far apart as one another.

    >>> evenly_spaced(100, 4), evenly_spaced(2)
    ([0, 33, 66, 99], [0, 1])
    """
    n = min(count, most)
    return [round(i * (count - 1) / max(1, n - 1)) for i in range(n)]


def film_strip(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures side by side on white, uint8 ``(STRIP_HEIGHT, width, 3)``.

    Args:
        pictures: Pictures of one size, uint8 ``(height, width, 3)``, at least one.
    """
    scaled = [_to_height(picture, STRIP_HEIGHT) for picture in pictures]
    gap = np.full((STRIP_HEIGHT, _GAP, 3), 255, np.uint8)
    parts = [part for picture in scaled for part in (gap, picture)][1:]
    return np.concatenate(parts, axis=1)


def _to_height(picture: np.ndarray, height: int) -> np.ndarray:
    """A picture of this height: small ones are enlarged pixel by pixel, and what is too large is averaged."""
    from PIL import Image

    large = enlarge(picture, height)
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.BOX))


def png(picture: np.ndarray) -> bytes:
    """A picture as a PNG file; the same one always gives the same bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
