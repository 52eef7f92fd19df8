"""The cell that a frame falls into, as in Go-Explore (Ecoffet et al. 2019, arXiv 1901.10995): 11 x 8 pixels, 8 shades."""

from __future__ import annotations

import numpy as np

WIDTH, HEIGHT, SHADES = 11, 8, 8
_LUMINANCE = np.array([299, 587, 114])  # thousandths of red, green and blue (ITU-R BT.601)


def cells(frames: np.ndarray) -> list[bytes]:
    """The cell of each frame: its luminance, area-averaged to 11 x 8 pixels, each as one of 8 equal shades of gray.

    A cell is the 88 bytes of its shades, row by row, so two that differ can never be taken for one. Only integers are
    computed: the same frames fall into the same cells on every machine.

    Args:
        frames: uint8 ``(n, channels, size, size)``: one gray channel, or red, green and blue; ``size`` from 11 to 256.

    Returns:
        A cell for each of the n games.
    """
    size = frames.shape[-1]
    # Float32 holds every integer below 2**24 exactly, and no sum here exceeds 255 * size**2.
    sums = _overlaps(HEIGHT, size) @ _gray(frames).astype(np.float32) @ _overlaps(WIDTH, size).T
    shades = sums.astype(np.int64) * SHADES // (256 * size**2)
    return [shade.tobytes() for shade in shades.astype(np.uint8)]


def _gray(frames: np.ndarray) -> np.ndarray:
    if frames.shape[1] == 1:
        return frames[:, 0]
    return (np.einsum("nchw,c->nhw", frames.astype(np.int64), _LUMINANCE) + 500) // 1000


def _overlaps(parts: int, size: int) -> np.ndarray:
    """How much of each of ``size`` pixels lies in each of so many equal parts, ``(parts, size)``, in pixels / ``parts``."""
    part, pixel = np.arange(parts)[:, None], np.arange(size)
    begin = np.maximum(part * size, pixel * parts)
    end = np.minimum((part + 1) * size, (pixel + 1) * parts)
    return np.maximum(end - begin, 0).astype(np.float32)
