"""Effective rank of features whose spread is known."""

from __future__ import annotations

import math

import pytest
import torch

from harness.nn.diagnostics import effective_rank, evenly_spaced_indices, target_diagnostics


def test_equal_directions_all_count() -> None:
    corners = torch.cat([torch.eye(5), -torch.eye(5)])
    assert effective_rank(corners) == pytest.approx(5, rel=1e-5)
    assert effective_rank(corners + 100) == pytest.approx(5, rel=1e-3)  # the mean does not count


def test_one_direction() -> None:
    line = torch.outer(torch.arange(10.0), torch.randn(8))
    assert effective_rank(line) == pytest.approx(1, abs=1e-2)


def test_constant_features_have_none() -> None:
    assert effective_rank(torch.ones(10, 4)) == 0


def test_features_that_are_not_finite_have_no_number() -> None:
    assert math.isnan(effective_rank(torch.tensor([[1.0, 2.0], [torch.inf, 0.0]])))


def test_uneven_directions_count_less() -> None:
    uneven = torch.diag(torch.tensor([10.0, 1.0]))
    assert 1 < effective_rank(torch.cat([uneven, -uneven])) < 2


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (5, 5), (128, 128), (1000, 128)])
def test_states_are_spread_over_the_rollout(n: int, expected: int) -> None:
    chosen = evenly_spaced_indices(n).tolist()
    assert len(set(chosen)) == len(chosen) == expected
    assert (chosen[0], chosen[-1]) == (0, n - 1)


def test_health_of_a_target() -> None:
    features = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert target_diagnostics(features) == pytest.approx({"target_std": 0.5, "target_rank": 1})
