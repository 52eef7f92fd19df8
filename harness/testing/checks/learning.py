"""What learning does, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from harness.rewards import IntrinsicReward, Transitions
from harness.testing.outcomes import CheckFailed, NotApplicable, require, require_same
from harness.testing.subject import ConformanceCase

_ROUNDS = 40
_GAP = 0.1
"""How far, as a share of the bonus of what is new, what was visited must fall behind it."""


def learns(case: ConformanceCase) -> None:
    """One rollout is run again and again; its bonuses fall behind those of another, never visited."""
    if not case.guarantees.remembers:
        raise NotApplicable("it says that it does not remember what was visited")
    reward = case.build()
    case.warm_up(reward)
    visited, new = (case.rollout(reward, case.script(seed)) for seed in (1, 2))
    before, gap = _gap(reward, visited, new), 0.0
    for _ in range(_ROUNDS):
        case.run_rollout(reward, case.script(1))
        gap = _gap(reward, visited, new) - before
        if gap >= _GAP:
            return
    expected = f"the bonus of visited states to fall behind that of new ones by {_GAP:.0%} within {_ROUNDS} rollouts"
    raise CheckFailed(f"expected {expected}, got {gap:.1%}")


def frozen(case: ConformanceCase) -> None:
    """Bit by bit the same after warm-up, rollouts and updates."""
    names = case.guarantees.frozen
    if not names:
        raise NotApplicable("it guarantees nothing to be frozen")
    reward = case.build()
    modules = {name: _submodule(reward, name, "frozen") for name in names}
    before = {name: _weights(module) for name, module in modules.items()}
    case.run_rollouts(reward, 1, 2)
    for name, module in modules.items():
        require_same(before[name], _weights(module), f"in {name} after two updates")


def gradients(case: ConformanceCase) -> None:
    """Each named loss trains something, and none of what it is promised to leave alone."""
    if not case.guarantees.stops_gradient:
        raise NotApplicable("it promises no loss to stop before a module")
    for loss, names in case.guarantees.stops_gradient.items():
        _check_loss(case, loss, names)


def _check_loss(case: ConformanceCase, name: str, stopped: Sequence[str]) -> None:
    reward = case.build()
    loss = getattr(reward, name, None)
    if not callable(loss):
        raise CheckFailed(f"expected a method {name}(transitions), as promised in stops_gradient, got none")
    for parameter in reward.parameters():
        parameter.grad = None
    value = loss(case.rollout(reward, case.script(1)))
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        raise CheckFailed(f"expected a loss with gradient from {name}(), got {value!r}")
    value.backward()
    require(_reached(reward), f"a gradient of {name}() in some parameter", "none")
    for module in stopped:
        reached = _reached(_submodule(reward, module, "stops_gradient"))
        require(not reached, f"no gradient of {name}() in {module}", f"one in {', '.join(reached)}")


def _gap(reward: IntrinsicReward, visited: Transitions, new: Transitions) -> float:
    """How far the mean bonus of what was visited is behind that of what is new, as a share of the latter."""
    old_mean, new_mean = float(reward.bonus(visited).mean()), float(reward.bonus(new).mean())
    return (new_mean - old_mean) / max(abs(new_mean), 1e-12)


def _submodule(reward: nn.Module, name: str, promise: str) -> nn.Module:
    try:
        return reward.get_submodule(name)
    except AttributeError:
        raise CheckFailed(f"expected a submodule {name!r}, as promised in {promise}, got none of that name") from None


def _weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in (*module.named_parameters(), *module.named_buffers())}


def _reached(module: nn.Module) -> list[str]:
    """Parameters in which a gradient has arrived, be it zero."""
    return [name for name, parameter in module.named_parameters() if parameter.grad is not None]
