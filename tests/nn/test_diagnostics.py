"""Effective rank of features whose spread is known."""

from __future__ import annotations

import pytest
import torch

from harness.nn.diagnostics import effective_rank


def test_equal_directions_all_count() -> None:
    corners = torch.cat([torch.eye(5), -torch.eye(5)])
    assert effective_rank(corners) == pytest.approx(5, rel=1e-5)
    assert effective_rank(corners + 100) == pytest.approx(5, rel=1e-3)  # the mean does not count


def test_one_direction() -> None:
    line = torch.outer(torch.arange(10.0), torch.randn(8))
    assert effective_rank(line) == pytest.approx(1, abs=1e-2)


def test_constant_features_have_none() -> None:
    assert effective_rank(torch.ones(10, 4)) == 0


def test_uneven_directions_count_less() -> None:
    uneven = torch.diag(torch.tensor([10.0, 1.0]))
    assert 1 < effective_rank(torch.cat([uneven, -uneven])) < 2
