"""Linear layers and activations whose gradients are computed step by step, without autograd's record of them.

The arithmetic of a small layer takes a few microseconds, and autograd's bookkeeping as long again. Each gradient is computed
by the operation that autograd would call, in its order, so that it is the same to the bit.
"""

# torch keeps a layer's parameters and hooks in protected attributes, and its lookup around them takes longer than the layer:
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.algorithms.lean_layers import plain_kind

_aten: Any = torch.ops.aten


class _Activation(NamedTuple):
    """What follows a linear layer.

    Attributes:
        apply: Gives ``(B, n)`` for the same, in its place.
        backward: Gives the gradient of its input for that of its output and for its output.
    """

    apply: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


def _relu_backward(gradient: Tensor, output: Tensor) -> Tensor:
    return _aten.threshold_backward.default(gradient, output, 0)


_ACTIVATIONS: dict[type[nn.Module], _Activation] = {
    nn.Tanh: _Activation(Tensor.tanh_, _aten.tanh_backward.default),
    nn.ReLU: _Activation(Tensor.relu_, _relu_backward),
}


class LayerChain:
    """Layers one after another on the CPU in float32, each linear with bias, with an activation behind it or none.

    Args:
        layers: The linear layers.
        activations: The class of what follows each, or ``None``.
    """

    def __init__(self, layers: list[nn.Linear], activations: list[type[nn.Module] | None]) -> None:
        self._parameters: list[Any] = [layer._parameters for layer in layers]
        self._activations = [None if kind is None else _ACTIVATIONS[kind] for kind in activations]

    @classmethod
    def of(cls, *modules: nn.Module) -> Self | None:
        """The layers of modules that are called one after another; ``None`` where anything else is among them.

        Args:
            modules: Layers, or `nn.Sequential` of them, for inputs ``(B, n)``.
        """
        layers: list[nn.Linear] = []
        activations: list[type[nn.Module] | None] = []
        for module in (part for whole in modules for part in _leaves(whole)):
            kind = plain_kind(module)
            if kind is nn.Linear and isinstance(module, nn.Linear) and _is_usual(module):
                layers.append(module)
                activations.append(None)
            elif kind in _ACTIVATIONS and layers and activations[-1] is None:
                activations[-1] = kind
            else:
                return None
        return cls(layers, activations) if layers else None

    @property
    def parameters(self) -> list[Tensor]:
        """Weight and bias of each layer."""
        return [parameters[name] for parameters in self._parameters for name in ("weight", "bias")]

    def outputs(self, inputs: Tensor) -> list[Tensor]:
        """The inputs, float32 ``(B, n)``, and what each layer makes of them, activations applied; without gradients.

        To be called where gradients are off.
        """
        outputs = [inputs]
        for parameters, activation in zip(self._parameters, self._activations, strict=True):
            output = F.linear(outputs[-1], parameters["weight"], parameters["bias"])
            outputs.append(output if activation is None else activation.apply(output))
        return outputs

    def gradients(self, outputs: list[Tensor], gradient: Tensor) -> list[Tensor]:
        """Gradients of all `parameters`; to be called where gradients are off.

        Args:
            outputs: What `outputs` gave.
            gradient: The gradient of the last output, float32 ``(B, m)``.
        """
        found: list[Tensor] = []
        for place in range(len(self._parameters) - 1, -1, -1):
            activation = self._activations[place]
            if activation is not None:
                gradient = activation.backward(gradient, outputs[place + 1])
            found += gradient.sum(0), gradient.t().mm(outputs[place])
            if place:
                gradient = gradient.mm(self._parameters[place]["weight"])
        return found[::-1]


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    if plain_kind(module) is nn.Sequential:
        yield from (leaf for part in module.children() for leaf in _leaves(part))
    else:
        yield module


def _is_usual(layer: nn.Linear) -> bool:
    parameters = list(layer.parameters())
    return len(parameters) == 2 and all(one.is_cpu and one.dtype == torch.float32 for one in parameters)
