"""Torch's Adam, to the bit, without looking up at every step what never changes between two of them."""

# torch has its functions of many tensors under protected names:
# pyright: reportPrivateImportUsage=false, reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, overload

import torch
from torch import Tensor

_AS_USUAL = {
    "amsgrad": False,
    "capturable": False,
    "decoupled_weight_decay": False,
    "differentiable": False,
    "foreach": True,
    "fused": None,
    "maximize": False,
    "weight_decay": 0,
}
"""The settings of which the arithmetic is known here."""


class _Moments(NamedTuple):
    """What a step needs of the optimiser's state.

    Attributes:
        state: The state that the others were found in.
        parameters: Parameters of all layers, each a leaf.
        averages: Running means of their gradients.
        squares: Running means of their squared gradients.
        steps: The number of steps of each parameter, float32 ``()``, the same for all.
    """

    state: Any
    parameters: list[Tensor]
    averages: list[Tensor]
    squares: list[Tensor]
    steps: list[Tensor]


def use_lean_adam(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimiser, if it is torch's Adam, step in less time; its state and its numbers stay."""
    if type(optimizer) is torch.optim.Adam:
        optimizer.__class__ = LeanAdam


class LeanAdam(torch.optim.Adam):
    """Adam for parameters on the CPU that all have gradients and as many steps behind them; anything else is torch's own."""

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; its numbers are those of `torch.optim.Adam`."""
        moments = self._known_moments() if closure is None else None
        gradients = [] if moments is None else [parameter.grad for parameter in moments.parameters]
        if moments is None or any(gradient is None or gradient.is_sparse for gradient in gradients):
            self.__dict__.pop("_moments", None)
            return super().step(closure)  # type: ignore[arg-type]  # either is one of its overloads
        with torch.no_grad():
            _step(self.param_groups[0], moments, gradients)
        return None

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        if not set_to_none:
            super().zero_grad(set_to_none)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def _known_moments(self) -> _Moments | None:
        """What a step needs; ``None`` where torch's own must do it, as for the first step."""
        known: _Moments | None = self.__dict__.get("_moments")
        if known is None or known.state is not self.state or len(self.state) != len(known.parameters):
            known = self.__dict__["_moments"] = self._find_moments()
        return known

    def _find_moments(self) -> _Moments | None:
        group = self.param_groups[0]
        usual = len(self.param_groups) == 1 and all(group.get(name) == value for name, value in _AS_USUAL.items())
        numbers = [group["lr"], group["eps"], *group["betas"]]
        parameters: list[Tensor] = group["params"]
        plain = all(it.is_cpu and it.dtype == torch.float32 for it in parameters) and all(type(it) is float for it in numbers)
        entries = [self.state.get(parameter) for parameter in parameters]
        if not (usual and plain and all(entries) and len(self.state) == len(entries)):
            return None
        averages, squares, steps = ([entry[name] for entry in entries if entry] for name in ("exp_avg", "exp_avg_sq", "step"))
        alike = all(step.is_cpu and bool(step == steps[0]) for step in steps)
        return _Moments(self.state, parameters, averages, squares, steps) if alike else None


def _step(group: dict[str, Any], moments: _Moments, gradients: list[Any]) -> None:
    """The arithmetic of torch's step over all parameters at once, in its order."""
    beta, beta_of_squares = group["betas"]
    torch._foreach_add_(moments.steps, torch.tensor(1.0), alpha=1.0)
    torch._foreach_lerp_(moments.averages, gradients, 1 - beta)
    torch._foreach_mul_(moments.squares, beta_of_squares)
    torch._foreach_addcmul_(moments.squares, gradients, gradients, 1 - beta_of_squares)
    steps = moments.steps[0].item()
    size = (group["lr"] / (1 - beta**steps)) * -1
    divisors = torch._foreach_sqrt(moments.squares)
    torch._foreach_div_(divisors, (1 - beta_of_squares**steps) ** 0.5)
    torch._foreach_add_(divisors, group["eps"])
    torch._foreach_addcdiv_(moments.parameters, moments.averages, divisors, size)
