"""Images of any size through layers that divide sides by 12, as those of Burda et al. 2018 do with 84 pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

CELL = 12
"""Product of the strides 3, 2 and 2."""


def base_size(side: int) -> int:
    """The side of what is left in the middle: 8 for 84 pixels."""
    return (side + CELL) // CELL


def pad(images: Tensor, sides: Sequence[int]) -> Tensor:
    """Images ``(B, C, H, W)`` with zeros around them, of these sides, as evenly as may be."""
    height, width = (after - before for after, before in zip(sides, images.shape[2:], strict=True))
    return F.pad(images, (width // 2, width - width // 2, height // 2, height - height // 2))


def crop(images: Tensor, sides: Sequence[int]) -> Tensor:
    """The middle of images, of these sides."""
    top, left = ((now - then) // 2 for now, then in zip(images.shape[2:], sides, strict=True))
    return images[:, :, top : top + sides[0], left : left + sides[1]]


def same_convolution(layer: nn.Module, images: Tensor) -> Tensor:
    """A convolution, padded so that sides become smaller by exactly its stride, which divides them."""
    assert isinstance(layer, nn.Conv2d)
    before, after = _excess(layer)
    return layer(F.pad(images, (before, after, before, after)))


def deconvolve(layer: nn.Module, images: Tensor) -> Tensor:
    """A transposed convolution whose output is ``stride`` times as large as its input."""
    assert isinstance(layer, nn.ConvTranspose2d)
    before, _ = _excess(layer)
    height, width = (layer.stride[0] * side for side in images.shape[2:])
    return layer(images)[:, :, before : before + height, before : before + width]


def _excess(layer: nn.Conv2d | nn.ConvTranspose2d) -> tuple[int, int]:
    """By how much the kernel reaches beyond the stride, at both ends."""
    excess = layer.kernel_size[0] - layer.stride[0]
    return excess // 2, excess - excess // 2
