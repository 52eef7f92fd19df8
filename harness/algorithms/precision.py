"""Networks that compute in bfloat16, while everything around them stays in float32.

Layers are what is fast in bfloat16, and they are all that takes it: each network of `torch.nn`'s layers runs under torch's
autocast and hands out float32. Parameters and their gradients are float32 as well, and so are losses, statistics and
probabilities, which are computed outside of networks.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from harness.algorithms.prepended import prepended
from harness.spec import Float

ModuleT = TypeVar("ModuleT", bound=nn.Module)

_LAYERS = (nn.Linear, nn.Bilinear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def use_precision(module: ModuleT, precision: Float) -> ModuleT:
    """Let every network in a module compute in this format; names, weights and whoever refers to them stay.

    A network is a linear layer, a convolution, or an `nn.Sequential` of `torch.nn`'s layers and of modules without parameters
    of their own. Recurrent layers, and functions that are called with a parameter, stay in float32.

    Args:
        module: A policy, a method or anything else that contains networks.
        precision: The format of its networks.

    Returns:
        The module that was given.
    """
    if precision == "bf16":
        for part in list(module.modules()):
            if _is_network(part) and not isinstance(part, _InBfloat16):
                part.__class__ = prepended(_InBfloat16, type(part))
    return module


def _is_network(module: nn.Module) -> bool:
    if not isinstance(module, nn.Sequential):
        return isinstance(module, _LAYERS)
    inner = list(module.modules())
    return any(isinstance(part, _LAYERS) for part in inner) and all(map(_is_layer, inner))


def _is_layer(module: nn.Module) -> bool:
    """Whether a part of an `nn.Sequential` takes bfloat16; running statistics of our own must not be learned from it."""
    if isinstance(module, nn.RNNBase):
        return False
    of_torch = isinstance(module, _LAYERS) or type(module).__module__.startswith("torch.nn.")
    return of_torch or not [*module.parameters(recurse=False), *module.buffers(recurse=False)]


class _InBfloat16(nn.Module):
    """Comes before the class of a network; the outermost network is where bfloat16 begins and ends."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        device = next(self.parameters()).device.type
        if torch.is_autocast_enabled(device):
            return super().forward(*args, **kwargs)
        with torch.autocast(device, dtype=torch.bfloat16):
            output: Any = super().forward(*args, **kwargs)
        return output.float() if isinstance(output, Tensor) and output.dtype == torch.bfloat16 else output
