"""A frame's cell is the one that the definition gives, computed here in exact fractions of a frame blown up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_atari.cells import HEIGHT, SHADES, WIDTH, cells


def shades_by_definition(gray: np.ndarray) -> np.ndarray:
    size = len(gray)
    rows, columns = np.lcm(size, HEIGHT), np.lcm(size, WIDTH)
    fine = gray.astype(np.int64).repeat(rows // size, axis=0).repeat(columns // size, axis=1)
    sums = fine.reshape(HEIGHT, rows // HEIGHT, WIDTH, columns // WIDTH).sum(axis=(1, 3))
    pixels = (rows // HEIGHT) * (columns // WIDTH)
    return sums * SHADES // (pixels * 256)


def shades(frames: np.ndarray) -> np.ndarray:
    return np.stack([np.frombuffer(cell, np.uint8).reshape(HEIGHT, WIDTH) for cell in cells(frames)])


@given(size=st.integers(36, 210), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_shades_are_the_area_means_at_any_size(size: int, seed: int):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (2, 1, 8, 8), dtype=np.uint8)  # large plain areas, so that all shades occur
    frames = coarse.repeat(27, axis=2).repeat(27, axis=3)[..., :size, :size]
    expected = np.stack([shades_by_definition(frame) for frame in frames[:, 0]])
    assert np.array_equal(shades(frames), expected)


@pytest.mark.parametrize("size", [84, 96, 210])
@pytest.mark.parametrize(("gray", "shade"), [(0, 0), (31, 0), (32, 1), (127, 3), (128, 4), (223, 6), (224, 7), (255, 7)])
def test_a_plain_frame_has_the_shade_of_its_gray(size: int, gray: int, shade: int):
    frames = np.full((1, 1, size, size), gray, dtype=np.uint8)
    assert (shades(frames) == shade).all()


def test_rows_and_columns_are_not_confused():
    frames = np.zeros((2, 1, 88, 88), dtype=np.uint8)
    frames[0, :, :11] = 255  # the top one of 8 rows
    frames[1, :, :, -8:] = 255  # the last one of 11 columns
    top, right = shades(frames)
    assert (top[0] == 7).all() and not top[1:].any()
    assert (right[:, -1] == 7).all() and not right[:, :-1].any()


def test_colour_falls_into_the_cell_of_its_luminance():
    frames = np.random.default_rng(0).integers(0, 256, (4, 3, 6, 6), dtype=np.uint8).repeat(14, axis=2).repeat(14, axis=3)
    luminance = np.rint(np.tensordot([0.299, 0.587, 0.114], frames, axes=(0, 1))).astype(np.uint8)
    assert cells(frames) == cells(luminance[:, None])
    plain = np.stack([np.full((3, 84, 84), gray, dtype=np.uint8) for gray in range(256)])
    assert cells(plain) == cells(plain[:, :1])


def test_a_frame_is_seen_alone():
    frames = np.random.default_rng(0).integers(0, 256, (3, 1, 84, 84), dtype=np.uint8)
    assert cells(frames) == [cells(frame[None])[0] for frame in frames]
    assert cells(frames[:0]) == []
