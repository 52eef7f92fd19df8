"""The same weight gradients of first convolutions in less time.

The gradient of a convolution's weights is the slowest part of learning from images where the convolution has few input
channels, as the first one has. The CPU's library takes another kernel, up to eight times as fast, for the same images with
channels last or with each stride's pixels as channels. On every shape of batch the alternatives are tried on real batches:
only those are ever used that gave the same bits as torch's own way, and of those the fastest. So no number depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_TRIALS_FROM = 8
"""Gradients of one kind after which alternatives are tried: before, there is nothing to be gained."""

_ROUNDS = 3
"""How often each way is tried; the numbers of every round must agree."""

ModuleT = TypeVar("ModuleT", bound=nn.Module)
_Gradients = tuple[Tensor, Tensor | None]
_Way = Callable[[Tensor, Tensor, Tensor, "_Settings"], _Gradients]


class _Settings:
    """What a convolution is, its weights aside.

    Args:
        layer: The convolution in question.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        self.stride, self.padding = list(layer.stride), layer.padding
        self.bias = layer.bias is not None
        self.key = (*layer.stride, *layer.padding, self.bias)


def use_fast_gradients(module: ModuleT) -> ModuleT:
    """Let every convolution of a module find its fastest way to the same gradient; names, weights and numbers stay.

    Returns:
        The module that was given.
    """
    for layer in module.modules():
        if type(layer) is nn.Conv2d and _is_plain(layer):
            layer.__class__ = _FirstConv2d  # the layer itself stays, and with it everything that refers to it
    return module


def _is_plain(layer: nn.Conv2d) -> bool:
    usual = layer.padding_mode == "zeros" and layer.groups == 1 and layer.dilation == (1, 1)
    return usual and not isinstance(layer.padding, str)


class _FirstConv2d(nn.Conv2d):
    """A convolution that looks for the fastest weight gradient wherever no gradient of its input is asked for."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self._is_first(input, weight):
            return _Convolution.apply(input, weight, bias, _Settings(self))  # type: ignore[no-any-return]  # torch's stub
        return super()._conv_forward(input, weight, bias)

    @staticmethod
    def _is_first(images: Tensor, weight: Tensor) -> bool:
        learns = torch.is_grad_enabled() and weight.requires_grad and not images.requires_grad
        known = images.device.type == "cpu" and images.dtype == weight.dtype == torch.float32 and images.ndim == 4
        return learns and known and images.is_contiguous() and not torch.is_autocast_enabled("cpu")


class _Convolution(torch.autograd.Function):
    """Torch's convolution forwards, and backwards the way that was found to be the fastest."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, settings: _Settings) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.settings = settings
        return F.conv2d(images, weight, bias, settings.stride, settings.padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor | None, None]:
        images, weight = ctx.saved_tensors
        return None, *_find_way(images, weight, ctx.settings)(gradients[0], images, weight, ctx.settings), None


def _plain(gradient: Tensor, images: Tensor, weight: Tensor, settings: _Settings) -> _Gradients:
    """Torch's own way."""
    return _gradients(gradient, images, weight, settings, settings.stride)


def _channels_last(gradient: Tensor, images: Tensor, weight: Tensor, settings: _Settings) -> _Gradients:
    """The way with every pixel's channels side by side."""
    images, gradient = (it.contiguous(memory_format=torch.channels_last) for it in (images, gradient))
    weights, biases = _gradients(gradient, images, weight, settings, settings.stride)
    return weights.contiguous(), biases


def _unshuffled(gradient: Tensor, images: Tensor, weight: Tensor, settings: _Settings) -> _Gradients:
    """The way over a convolution of stride 1 on images whose channels are the pixels of one stride; see `_can_unshuffle`."""
    stride, (height, width) = settings.stride[0], gradient.shape[2:]
    blocks = weight.shape[2] // stride - 1
    images = images[:, :, : (height + blocks) * stride, : (width + blocks) * stride]
    small = F.pixel_unshuffle(weight, stride)
    weights, biases = _gradients(gradient, F.pixel_unshuffle(images, stride), small, settings, [1, 1])
    return F.pixel_shuffle(weights, stride).contiguous(), biases


def _gradients(gradient: Tensor, images: Tensor, weight: Tensor, settings: _Settings, stride: list[int]) -> _Gradients:
    of_weights_and_bias = [False, True, settings.bias]
    sizes = [weight.shape[0]] if settings.bias else None
    _, weights, biases = torch.ops.aten.convolution_backward(
        gradient, images, weight, sizes, stride, settings.padding, [1, 1], False, [0, 0], 1, of_weights_and_bias
    )
    return weights, biases


def _can_unshuffle(weight: Tensor, settings: _Settings) -> bool:
    rows, columns = settings.stride
    square = rows == columns > 1 and weight.shape[2] == weight.shape[3]
    return square and weight.shape[2] % rows == 0 and not any(settings.padding)


class _Trial:
    """The search for the fastest way to one kind of gradient."""

    def __init__(self, ways: Mapping[str, _Way]) -> None:
        self.seen = 0
        self.seconds = {name: float("inf") for name in ways}
        self.ways = dict(ways)

    def __call__(self, gradient: Tensor, images: Tensor, weight: Tensor, settings: _Settings) -> _Gradients:
        """The gradients, torch's own; all ways are timed, and those that give other bits are given up."""
        self.seen += 1
        if self.seen <= _TRIALS_FROM:
            return _plain(gradient, images, weight, settings)
        clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
        results: dict[str, _Gradients] = {}
        for name, way in self.ways.items():
            start = clock()
            results[name] = way(gradient, images, weight, settings)
            self.seconds[name] = min(self.seconds[name], clock() - start)
        own = results["plain"]
        self.ways = {name: way for name, way in self.ways.items() if _equal(own, results[name])}
        return own

    @property
    def best(self) -> _Way | None:
        """The fastest way; ``None`` before it is known."""
        if self.seen < _TRIALS_FROM + _ROUNDS and len(self.ways) > 1:
            return None
        return self.ways[min(self.ways, key=self.seconds.__getitem__)]


_trials: dict[Any, _Trial] = {}
"""By everything that decides which kernels the library takes."""


def _find_way(images: Tensor, weight: Tensor, settings: _Settings) -> _Way:
    key = (images.shape, weight.shape, settings.key, torch.get_num_threads())
    if key not in _trials:
        ways: dict[str, _Way] = {"plain": _plain, "channels_last": _channels_last}
        if _can_unshuffle(weight, settings):
            ways["unshuffled"] = _unshuffled
        _trials[key] = _Trial(ways)
    return _trials[key].best or _trials[key]


def _equal(ours: _Gradients, others: _Gradients) -> bool:
    pairs = zip(ours, others, strict=True)
    return all(one is other or (one is not None and other is not None and torch.equal(one, other)) for one, other in pairs)
