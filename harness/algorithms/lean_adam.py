"""Torch's Adam, to the bit, without looking up at every step what never changes between two of them.

The moments of a small network lie in one piece, so that a step takes a few operations however many layers there are.
"""

# torch has its functions of many tensors under protected names:
# pyright: reportPrivateImportUsage=false, reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast, overload

import torch
from torch import Tensor

_AS_USUAL = {
    "amsgrad": False,
    "capturable": False,
    "decoupled_weight_decay": False,
    "differentiable": False,
    "fused": None,
    "maximize": False,
    "weight_decay": 0,
}
"""The settings of which the arithmetic is known here."""


_LARGEST_PIECE = 2**18
"""Parameters up to which gradients are copied into one piece: of more, the copy takes longer than it saves."""


class _Moments(NamedTuple):
    """What a step needs of the optimiser's state.

    Attributes:
        state: The state that the others were found in.
        parameters: Parameters of all layers, each a leaf.
        averages: Running means of their gradients.
        squares: Running means of their squared gradients.
        steps: The number of steps of each parameter, float32 ``()``, the same for all.
        piece: What lies in one piece; ``None`` of a large network.
    """

    state: Any
    parameters: list[Tensor]
    averages: list[Tensor]
    squares: list[Tensor]
    steps: list[Tensor]
    piece: _Piece | None


class _Piece(NamedTuple):
    """Tensors of P numbers, of which the optimiser's state has views, one for each parameter.

    Attributes:
        averages: Running means of all gradients, ``(P,)``.
        squares: Running means of all squared gradients, ``(P,)``.
        steps: The number of steps of each of L parameters, ``(L,)``.
        gradient: All gradients, ``(P,)``.
        divisors: What a step divides by, ``(P,)``, and a view of it for each parameter.
        divisor_views: A view of the divisors for each parameter.
    """

    averages: Tensor
    squares: Tensor
    steps: Tensor
    gradient: Tensor
    divisors: Tensor
    divisor_views: list[Tensor]


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
        if not self.state:
            self._begin()
        moments = self._known_moments() if closure is None else None
        gradients: list[Any] = [] if moments is None else [parameter.grad for parameter in moments.parameters]
        if moments is None or any(gradient is None or gradient.is_sparse for gradient in gradients):
            self.__dict__.pop("_moments", None)
            return super().step(closure)  # type: ignore[arg-type]  # either is one of its overloads
        with torch.no_grad():
            if moments.piece is None:
                _step(self.param_groups[0], moments, gradients)
            else:
                torch.cat([gradient.reshape(-1) for gradient in gradients], out=moments.piece.gradient)
                _step_in_one_piece(self.param_groups[0], moments, moments.piece, moments.piece.gradient)
        return None

    @torch.no_grad()
    def step_with(self, gradient: Tensor) -> None:
        """One step with gradients that no parameter carries.

        Args:
            gradient: Gradients of all parameters, one after another, float32 ``(P,)``.
        """
        if not self.state:
            self._begin(all_have_gradients=True)
        moments = self._known_moments()
        if moments is not None and moments.piece is not None:
            _step_in_one_piece(self.param_groups[0], moments, moments.piece, gradient)
            return
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        for parameter, part in zip(parameters, views_like(parameters, gradient), strict=True):
            parameter.grad = part
        self.step()
        self.zero_grad()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        if not set_to_none:
            super().zero_grad(set_to_none)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def _begin(self, *, all_have_gradients: bool = False) -> None:
        """Make the state that torch makes in its first step, which loads torch's compiler for nothing.

        Args:
            all_have_gradients: Whether every parameter has one, even if it does not carry it.
        """
        self.__dict__.pop("_moments", None)  # a cleared state is the same object as before
        parameters: list[Tensor] = self.param_groups[0]["params"]
        if self._is_usual() and (all_have_gradients or all(parameter.grad is not None for parameter in parameters)):
            for parameter in parameters:
                moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
                self.state[parameter] = {"step": torch.tensor(0.0), **moments}

    def _is_usual(self) -> bool:
        """Whether the settings and the parameters are those of which the arithmetic is known here."""
        group = self.param_groups[0]
        usual = len(self.param_groups) == 1 and all(group.get(name) == value for name, value in _AS_USUAL.items())
        numbers = [group["lr"], group["eps"], *group["betas"]]
        plain = all(it.is_cpu and it.dtype == torch.float32 for it in group["params"])
        return usual and plain and all(type(it) is float for it in numbers)

    def _known_moments(self) -> _Moments | None:
        """What a step needs; ``None`` where torch's own must do it."""
        known: _Moments | None = self.__dict__.get("_moments")
        if known is None or known.state is not self.state or len(self.state) != len(known.parameters):
            known = self.__dict__["_moments"] = self._find_moments()
        return known

    def _find_moments(self) -> _Moments | None:
        parameters: list[Tensor] = self.param_groups[0]["params"]
        entries = [self.state.get(parameter) for parameter in parameters]
        if not (self._is_usual() and all(entries) and len(self.state) == len(entries)):
            return None
        averages, squares, steps = ([entry[name] for entry in entries if entry] for name in ("exp_avg", "exp_avg_sq", "step"))
        if not all(step.is_cpu and bool(step == steps[0]) for step in steps):
            return None
        found = _Moments(self.state, parameters, averages, squares, steps, None)
        small = sum(parameter.numel() for parameter in parameters) <= _LARGEST_PIECE
        return self._in_one_piece(found) if small and all(one.is_contiguous() for one in parameters) else found

    def _in_one_piece(self, moments: _Moments) -> _Moments:
        """The same moments, which the state has as views of one piece from now on."""
        parameters = moments.parameters
        averages, squares = (torch.cat([part.reshape(-1) for part in parts]) for parts in (moments.averages, moments.squares))
        steps, gradient, divisors = torch.stack(moments.steps), torch.empty_like(averages), torch.empty_like(averages)
        views = views_like(parameters, averages), views_like(parameters, squares), list(steps.unbind())
        for parameter, average, square, step in zip(parameters, *views, strict=True):
            self.state[parameter].update(exp_avg=average, exp_avg_sq=square, step=step)
        piece = _Piece(averages, squares, steps, gradient, divisors, views_like(parameters, divisors))
        return _Moments(self.state, parameters, *views, piece)


def views_like(tensors: Sequence[Tensor], flat: Tensor) -> list[Tensor]:
    """Views of ``flat``, ``(P,)``, one after another: for each tensor one of its shape, P numbers in all."""
    parts = cast(Sequence[Tensor], flat.split([tensor.numel() for tensor in tensors]))
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


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


def _step_in_one_piece(group: dict[str, Any], moments: _Moments, piece: _Piece, gradient: Tensor) -> None:
    """The same with each operation on all parameters at once but for the last, since these lie apart."""
    beta, beta_of_squares = group["betas"]
    piece.steps.add_(1.0)
    piece.averages.lerp_(gradient, 1 - beta)
    piece.squares.mul_(beta_of_squares).addcmul_(gradient, gradient, value=1 - beta_of_squares)
    steps = moments.steps[0].item()
    size = (group["lr"] / (1 - beta**steps)) * -1
    torch.sqrt(piece.squares, out=piece.divisors)
    piece.divisors.div_((1 - beta_of_squares**steps) ** 0.5).add_(group["eps"])
    torch._foreach_addcdiv_(moments.parameters, moments.averages, piece.divisor_views, size)
