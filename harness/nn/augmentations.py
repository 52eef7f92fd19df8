"""Random changes to observations that a representation should not mind.

Functions take the random numbers they use, so that a change can be repeated and compared; `Augmentation` draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from harness.errors import UserError

AugmentationName = Literal["mask", "noise", "shift"]


def mask_tiles(images: Tensor, uniforms: Tensor, probability: float) -> Tensor:
    """Set square tiles of an image to zero, the same in all its channels.

    Args:
        images: ``(B, C, H, W)``.
        uniforms: Random numbers in [0, 1), ``(B, 1, H / side, W / side)``; a tile is kept where they are below ``1 -
            probability``.
        probability: Probability of a tile to vanish.
    """
    kept = (uniforms < 1 - probability).to(images.dtype)
    for axis in (2, 3):
        kept = kept.repeat_interleave(images.shape[axis] // kept.shape[axis], axis)
    return images * kept


def mask_coordinates(vectors: Tensor, uniforms: Tensor, probability: float) -> Tensor:
    """Set single coordinates to zero; like `mask_tiles` for ``(B, *shape)`` and ``uniforms`` of the same shape."""
    return vectors * (uniforms < 1 - probability)


def add_noise(inputs: Tensor, uniforms: Tensor, scale: float) -> Tensor:
    """Add noise in [-scale, scale) made of ``uniforms`` in [0, 1), of the same shape; nothing is clipped afterwards."""
    return inputs + scale * (2 * uniforms - 1)


def shift(images: Tensor, offsets: Tensor, padding: int) -> Tensor:
    """Move images, repeating their border: a random crop of the padded image (Kostrikov et al. 2020, arXiv 2004.13649).

    Args:
        images: ``(B, C, H, W)``.
        offsets: Row and column of each crop's corner, int64 ``(B, 2)`` in [0, 2 padding]; ``padding`` moves nothing.
        padding: Width of the margin in pixels.
    """
    rows, columns = (
        (offsets[:, axis, None] + torch.arange(size, device=images.device) - padding).clamp(0, size - 1)
        for axis, size in enumerate(images.shape[2:])
    )
    samples = torch.arange(len(images), device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def random_shift(images: Tensor, padding: int, random: torch.Generator) -> Tensor:
    """`shift` each image ``(B, C, H, W)`` on its own, by up to ``padding`` pixels in each direction, all equally likely."""
    corners = torch.randint(2 * padding + 1, (len(images), 2), generator=random, device=random.device)
    return shift(images, corners.to(images.device), padding)


def apply_where(gates: Tensor, probability: float, changed: Tensor, inputs: Tensor) -> Tensor:
    """The changed sample where its gate ``(B,)``, in [0, 1), is below ``probability``, else the sample as it was."""
    return torch.where((gates < probability).view(-1, *[1] * (inputs.ndim - 1)), changed, inputs)


class Augmentation:
    """Applies some changes one after the other, each to each sample with one probability.

    The default is that of SND-V (Pechac et al. 2024, ``modules/encoders/EncoderAtari.py``).

    Args:
        changes: ``mask`` zeroes tiles of images or coordinates of vectors, ``noise`` is uniform, ``shift`` moves images.
        shape: Shape of one sample.
        images: Whether samples are images ``(C, H, W)``.
        probability: The probability of each change, for each sample.
        mask_probability: The probability of each tile or coordinate to vanish, where ``mask`` is applied.
        tile_sizes: Sides of tiles in pixels; one that divides height and width is drawn for each batch.
        noise: Largest absolute value of the noise.
        shift: Largest displacement, in pixels.

    Raises:
        UserError: Vectors cannot be shifted, or no tile size divides the images.
    """

    def __init__(
        self,
        changes: Sequence[AugmentationName],
        shape: Sequence[int],
        *,
        images: bool,
        probability: float = 0.5,
        mask_probability: float = 0.1,
        tile_sizes: Sequence[int] = (1, 2, 4, 8, 12, 16),
        noise: float = 0.2,
        shift: int = 4,
    ) -> None:
        self.changes, self.images, self.probability = tuple(changes), images, probability
        self.mask_probability, self.noise, self.shift = mask_probability, noise, shift
        self.tile_sizes = [side for side in tile_sizes if images and not any(size % side for size in shape[1:])]
        if not images and "shift" in self.changes:
            raise UserError("the augmentation shift is for images; observations of this task are vectors: use mask or noise")
        if images and "mask" in self.changes and not self.tile_sizes:
            size = "x".join(map(str, shape[1:]))
            raise UserError(f"none of the tile sizes {list(tile_sizes)} divides images of {size} pixels; 1 always does")

    def __call__(self, inputs: Tensor, random: torch.Generator) -> Tensor:
        """A changed copy of float ``(B, *shape)``; the inputs themselves if there is nothing to change."""
        for change in self.changes:
            gates = _uniforms((len(inputs),), inputs, random)
            inputs = apply_where(gates, self.probability, self.apply(change, inputs, random), inputs)
        return inputs

    def apply(self, change: AugmentationName, inputs: Tensor, random: torch.Generator) -> Tensor:
        """One change, made to every sample."""
        if change == "noise":
            return add_noise(inputs, _uniforms(inputs.shape, inputs, random), self.noise)
        if change == "shift":
            return random_shift(inputs, self.shift, random)
        if not self.images:
            return mask_coordinates(inputs, _uniforms(inputs.shape, inputs, random), self.mask_probability)
        side = self.tile_sizes[self._draw_tile_size(random)]
        batch, _, height, width = inputs.shape
        tiles = _uniforms((batch, 1, height // side, width // side), inputs, random)
        return mask_tiles(inputs, tiles, self.mask_probability)

    def _draw_tile_size(self, random: torch.Generator) -> int:
        return int(torch.randint(len(self.tile_sizes), (), generator=random, device=random.device))


def _uniforms(shape: Sequence[int], like: Tensor, random: torch.Generator) -> Tensor:
    return torch.rand(tuple(shape), generator=random, device=random.device).to(like)
