"""What augmentations change, what they leave, and that the seed decides."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.nn.augmentations import Augmentation, add_noise, apply_where, mask_coordinates, mask_tiles, random_shift, shift

IMAGES = (2, 12, 8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 4) -> torch.Tensor:
    return torch.rand(n, *IMAGES, generator=seeded()) + 0.1


def make(*changes: Any, shape: tuple[int, ...] = IMAGES, **settings: Any) -> Augmentation:
    return Augmentation(changes, shape, images=len(shape) == 3, **{"probability": 1.0, **settings})


def test_tiles_vanish_in_all_channels_and_nothing_else_does() -> None:
    x, uniforms = images(1), torch.zeros(1, 1, 3, 2)
    uniforms[0, 0, 1, 0] = 0.95
    masked = mask_tiles(x, uniforms, 0.1)
    assert not masked[0, :, 4:8, :4].any()
    masked[0, :, 4:8, :4] = x[0, :, 4:8, :4]
    assert torch.equal(masked, x)


def test_the_bound_of_a_mask_is_exclusive() -> None:
    kept = mask_coordinates(torch.ones(1, 3), torch.tensor([[0.74, 0.75, 0.76]]), 0.25)
    assert kept.tolist() == [[1, 0, 0]]


def test_noise_spans_its_scale_and_is_not_clipped() -> None:
    noisy = add_noise(torch.ones(3), torch.tensor([0.0, 0.5, 1.0]), 0.2)
    assert noisy.tolist() == pytest.approx([0.8, 1.0, 1.2])


def test_shift_by_the_padding_moves_nothing() -> None:
    x = images()
    assert torch.equal(shift(x, torch.full((4, 2), 3), 3), x)


def test_shift_repeats_the_border() -> None:
    row = torch.arange(4.0).view(1, 1, 1, 4)
    assert shift(row, torch.tensor([[2, 4]]), 2).flatten().tolist() == [2, 3, 3, 3]
    assert shift(row, torch.tensor([[2, 0]]), 2).flatten().tolist() == [0, 0, 0, 1]


@given(st.integers(0, 6), st.integers(0, 6))
def test_shift_is_a_crop_of_the_padded_image(row: int, column: int) -> None:
    x = images(1)
    padded = torch.nn.functional.pad(x, (3, 3, 3, 3), mode="replicate")
    cropped = padded[:, :, row : row + IMAGES[1], column : column + IMAGES[2]]
    assert torch.equal(shift(x, torch.tensor([[row, column]]), 3), cropped)


def test_every_sample_moves_on_its_own() -> None:
    x = images(1).repeat(40, 1, 1, 1)
    moved = make("shift")(x, seeded())
    assert len({sample.numpy().tobytes() for sample in moved}) > 20


def test_gates_choose_whole_samples() -> None:
    x, changed = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    assert apply_where(torch.tensor([0.2, 0.5, 0.4]), 0.5, changed, x)[:, 0, 0].tolist() == [1, 0, 1]


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_a_change_is_made_with_its_probability(probability: float) -> None:
    x = torch.ones(4000, 3)
    changed = make("noise", shape=(3,), probability=probability)(x, seeded()) != x
    assert changed.any(1).float().mean() == pytest.approx(probability, abs=0.03)


def test_only_tile_sizes_that_divide_the_image_are_drawn() -> None:
    assert make("mask").tile_sizes == [1, 2, 4]
    assert make("mask", shape=(1, 84, 84)).tile_sizes == [1, 2, 4, 12]
    drawn = {make("mask")._draw_tile_size(seeded(seed)) for seed in range(30)}
    assert drawn == {0, 1, 2}


def test_changes_come_in_the_order_given() -> None:
    """Noise after the mask leaves no zeros; a mask after the noise does."""
    x = images(50)
    assert not (make("mask", "noise", mask_probability=0.5)(x, seeded()) == 0).any()
    assert (make("noise", "mask", mask_probability=0.5)(x, seeded()) == 0).any()


@pytest.mark.parametrize("shape", [(5,), (3, 4), IMAGES])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inputs_are_kept_and_the_seed_decides(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.rand(6, *shape, generator=seeded(1)).to(dtype)
    kept = x.clone()
    augment = make("mask", "noise", shape=shape)
    one, two, other = augment(x, seeded(5)), augment(x, seeded(5)), augment(x, seeded(6))
    assert torch.equal(x, kept)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert one.shape == x.shape
    assert one.dtype == dtype


def test_without_changes_the_inputs_come_back() -> None:
    x = images()
    assert make()(x, seeded()) is x


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="shift is for images"):
        make("shift", shape=(5,))
    with pytest.raises(UserError, match=r"none of the tile sizes \[5\] divides images of 12x8 pixels"):
        make("mask", tile_sizes=(5,))


def test_random_shifts_reach_every_corner_equally_often() -> None:
    """By a pixel each way, of an image whose middle tells where it went."""
    x = torch.zeros(9000, 1, 5, 5)
    x[:, :, 2, 2] = 1
    moved = random_shift(x, 1, seeded())
    counts = moved.sum(0)[0, 1:4, 1:4]
    assert counts.sum() == 9000
    assert (counts - 1000).abs().max() < 150  # five standard deviations


def test_bytes_stay_bytes() -> None:
    x = torch.randint(0, 256, (4, 3, 6, 6), dtype=torch.uint8)
    assert random_shift(x, 2, seeded()).dtype == torch.uint8
