"""Where the gradient of a distillation goes, and what a mask leaves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.nn.distillation import DistillationPair, masked_mean


@pytest.mark.parametrize("frozen", [True, False])
def test_only_the_predictor_gets_a_gradient(frozen: bool) -> None:
    pair = DistillationPair(nn.Linear(3, 4), nn.Linear(3, 4), frozen=frozen)
    pair.squared_error(torch.randn(5, 3)).sum().backward()
    assert all(p.grad is None for p in pair.target.parameters())
    assert all(p.grad is not None for p in pair.predictor.parameters())
    assert all(p.requires_grad is not frozen for p in pair.target.parameters())


def test_squared_error_is_per_feature() -> None:
    pair = DistillationPair(nn.Identity(), nn.ReLU())
    assert pair.squared_error(torch.tensor([[-3.0, 2.0]])).tolist() == [[9.0, 0.0]]


def test_known_features_are_not_computed_again_and_get_no_gradient() -> None:
    pair, x = DistillationPair(nn.Linear(3, 4), nn.Linear(3, 4), frozen=False), torch.randn(5, 3)
    features = pair.target(x)
    expected = pair.squared_error(x)
    pair.target.register_forward_hook(lambda *_: pytest.fail("the target was asked again"))
    error = pair.squared_error(x, features)
    torch.testing.assert_close(error, expected)
    error.sum().backward()
    assert all(p.grad is None for p in pair.target.parameters())


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-10, 10), st.booleans()), min_size=1, max_size=20))
def test_masked_mean_is_the_mean_of_what_is_kept(entries: list[tuple[float, bool]]) -> None:
    values = torch.tensor([value for value, _ in entries], dtype=torch.float64)
    keep = torch.tensor([kept for _, kept in entries])
    expected = values[keep].mean() if keep.any() else torch.tensor(0.0, dtype=torch.float64)
    torch.testing.assert_close(masked_mean(values, keep), expected)
    torch.testing.assert_close(masked_mean(values), values.mean())


def test_nothing_kept_gives_zero_gradients_rather_than_none() -> None:
    weight = torch.ones(4, requires_grad=True)
    masked_mean(weight.square(), torch.zeros(4, dtype=torch.bool)).backward()
    assert weight.grad is not None
    assert not weight.grad.any()
    assert float(masked_mean(torch.zeros(0, 3))) == 0
