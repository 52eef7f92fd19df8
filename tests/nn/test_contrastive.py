"""InfoNCE over positions: against torch's cross-entropy, its gradients, and how much memory it takes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from harness.nn import contrastive
from harness.nn.contrastive import positionwise_info_nce


def direct(queries: Tensor, keys: Tensor) -> Tensor:
    """All logits at once; classes are the keys."""
    logits = queries @ keys.mT
    positions, samples, _ = logits.shape
    return F.cross_entropy(logits.flatten(0, 1), torch.arange(samples).repeat(positions))


def inputs(positions: int = 7, samples: int = 5, channels: int = 3, *, same_everywhere: bool = False) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = [(1 if same_everywhere else positions, samples, channels), (positions, samples, channels)]
    return [torch.randn(shape, generator=random, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("max_logits", [1, 25, 60, 2**23], ids=lambda n: f"at-most-{n}")
@pytest.mark.parametrize("same_everywhere", [False, True])
def test_chunks_do_not_show_in_values_or_gradients(
    max_logits: int, same_everywhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrastive, "MAX_LOGITS", max_logits)
    queries, keys = inputs(same_everywhere=same_everywhere)
    loss = positionwise_info_nce(queries.expand_as(keys), keys)
    expected = direct(queries, keys)
    torch.testing.assert_close(loss, expected)
    ours = torch.autograd.grad(3 * loss, [queries, keys])
    theirs = torch.autograd.grad(3 * expected, [queries, keys])
    torch.testing.assert_close(ours, theirs)


def test_gradients_against_finite_differences() -> None:
    assert torch.autograd.gradcheck(positionwise_info_nce, inputs(2, 3, 2))


@pytest.mark.parametrize("needed", [(True, False), (False, True), (False, False)])
def test_only_what_needs_a_gradient_gets_one(needed: tuple[bool, bool]) -> None:
    sides = [side.detach().requires_grad_(need) for side, need in zip(inputs(), needed, strict=True)]
    loss = positionwise_info_nce(*sides)
    torch.testing.assert_close(loss, direct(*inputs()))
    assert loss.requires_grad == any(needed)
    if loss.requires_grad:
        loss.backward()
    assert [side.grad is not None for side in sides] == list(needed)


def test_indistinguishable_samples_cost_the_logarithm_of_their_number() -> None:
    ones = torch.ones(4, 6, 2)
    assert float(positionwise_info_nce(ones, ones)) == pytest.approx(math.log(6))


class Largest(TorchDispatchMode):
    """Remembers how many numbers the largest result of any operation had, forwards and backwards."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, list | tuple) else [result]:
            if isinstance(tensor, Tensor):
                self.numel = max(self.numel, tensor.numel())
        return result


def test_memory_is_bounded_forwards_and_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    positions, samples, channels = 20, 30, 2
    monkeypatch.setattr(contrastive, "MAX_LOGITS", 2 * samples**2)
    sides = inputs(positions, samples, channels)
    with Largest() as ours:
        positionwise_info_nce(*sides).backward()
    with Largest() as theirs:
        direct(*sides).backward()
    assert theirs.numel == positions * samples**2
    assert ours.numel == 2 * samples**2
