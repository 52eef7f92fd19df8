"""Images of a rollout as a tensor that holds none: whoever picks some gets these, gathered from where they lie once."""

# torch offers subclasses without memory of their own, and calls that bypass them, under protected names alone:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from harness.algorithms.rollout_storage import FrameStacks

_NUMBERS = ("_version", "device", "dtype", "is_cpu", "is_cuda", "is_leaf", "layout", "ndim", "requires_grad", "shape")
_METHODS = ("__len__", "dim", "element_size", "is_floating_point", "nelement", "numel", "size")
_DESCRIPTIONS = frozenset(
    [*(getattr(Tensor, name).__get__ for name in _NUMBERS), *(getattr(Tensor, name) for name in _METHODS)]
)
"""Calls that ask what a tensor is like, and not what is in it."""


class GatheredImages(Tensor):
    """Images ``(B, channels, height, width)``; picking rows copies these rows, and everything else is done with a copy of all.

    A part of a rollout (`torch.Tensor.split`) is of the same kind. Nothing can be written to it.

    Args:
        stacks: Where the frames are.
        places: The places of the frames of each image, int64 ``(B, frames)``.
    """

    stacks: FrameStacks
    places: np.ndarray

    def __new__(cls, stacks: FrameStacks, places: np.ndarray) -> GatheredImages:
        """A tensor that knows its shape."""
        _, height, width = stacks.shape
        size = torch.Size((len(places), places.shape[1] * stacks.channels, height, width))
        dtype = torch.from_numpy(np.empty(0, stacks.dtype)).dtype
        images = cast(GatheredImages, Tensor._make_wrapper_subclass(cls, size, dtype=dtype))
        images.stacks, images.places = stacks, places
        return images

    def rows(self, index: Any = slice(None)) -> Tensor:
        """A copy of some images, or of one, or of all.

        Args:
            index: A number, a slice, or a list, array or tensor of numbers or of truth values.
        """
        chosen = index.numpy() if isinstance(index, Tensor) else index
        return torch.from_numpy(self.stacks.gather(self.places[chosen]))

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Whatever is called with such a tensor comes here."""
        kwargs = kwargs or {}
        if func in _DESCRIPTIONS:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **kwargs)
        if func is Tensor.__getitem__ and isinstance(args[0], cls) and not _has_several(args[1]):
            return args[0].rows(args[1])
        if func is Tensor.split and isinstance(args[1], int) and not kwargs.get("dim"):
            images, size = args
            return tuple(cls(images.stacks, images.places[at : at + size]) for at in range(0, len(images), size))
        return func(*_copied(args), **_copied(kwargs))

    @classmethod
    def __torch_dispatch__(
        cls, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """What reaches torch's kernels by another way."""
        return func(*_copied(args), **_copied(kwargs or {}))


def _has_several(index: Any) -> bool:
    """Whether an index picks in several dimensions, or adds one."""
    return isinstance(index, tuple) or index is None or index is Ellipsis or (isinstance(index, Tensor) and index.ndim > 1)


def _copied(values: Any) -> Any:
    """Arguments in which images have memory."""
    if isinstance(values, GatheredImages):
        return values.rows()
    if isinstance(values, Mapping):
        return {name: _copied(value) for name, value in cast(Mapping[str, Any], values).items()}
    if type(values) in (list, tuple):
        return type(values)(_copied(value) for value in values)
    return values
