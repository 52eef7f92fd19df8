"""Balanced assignments: what they sum to, whatever the scores, and what the usual form would give."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.nn.sinkhorn import sinkhorn

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)


def usual(scores: torch.Tensor, temperature: float, iterations: int) -> torch.Tensor:
    """The published form, scaled to a total mass of 1 in every step."""
    kernel = torch.exp((scores - scores.max()) / temperature).T
    kernel = kernel / kernel.sum()
    k, b = kernel.shape
    for _ in range(iterations):
        kernel = kernel * (1 / k / kernel.sum(1))[:, None]
        kernel = kernel * (1 / b / kernel.sum(0))[None]
    return (kernel / kernel.sum(0)).T


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (6, 8), (40, 5), (5, 40), (128, 512)])
@pytest.mark.parametrize("iterations", [1, 2, 3, 10])
def test_it_is_the_usual_form(shape: tuple[int, int], iterations: int) -> None:
    scores = 2 * torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    torch.testing.assert_close(sinkhorn(scores, 0.1, iterations), usual(scores, 0.1, iterations), rtol=1e-10, atol=1e-12)


@given(arrays.arrays("float32", SHAPES, elements=st.floats(width=32, allow_nan=False)), st.integers(1, 5))
def test_rows_sum_to_one_whatever_the_scores(scores: torch.Tensor, iterations: int) -> None:
    """Up to the largest numbers there are, and infinite ones."""
    q = sinkhorn(torch.from_numpy(scores), 0.1, iterations)
    assert q.isfinite().all() and (q >= 0).all()
    torch.testing.assert_close(q.sum(1), torch.ones(len(q)), rtol=1e-5, atol=1e-5)


@given(arrays.arrays("float64", SHAPES, elements=st.floats(-1, 1)))
def test_columns_are_balanced_in_the_end(scores: torch.Tensor) -> None:
    q = sinkhorn(torch.from_numpy(scores), 1.0, 200)
    torch.testing.assert_close(q.sum(0), torch.full((q.shape[1],), len(q) / q.shape[1], dtype=torch.float64))


def test_a_prototype_far_from_all_samples_still_gets_its_share() -> None:
    """In the usual form it underflows; here a constant taken from its scores makes no difference at all."""
    scores = torch.rand(6, 4, generator=torch.Generator().manual_seed(0))
    far = scores - torch.tensor([0.0, 1e4, 0.0, 0.0])
    torch.testing.assert_close(sinkhorn(far, 0.1, 3), sinkhorn(scores, 0.1, 3), rtol=0.05, atol=0.01)


def test_a_sample_far_from_all_prototypes_is_assigned_like_any_other() -> None:
    scores = torch.rand(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    far = scores.clone()
    far[2] -= 1e5
    assert usual(far, 0.1, 3)[2].isnan().all()
    torch.testing.assert_close(sinkhorn(far, 0.1, 3)[2].sum(), torch.ones((), dtype=torch.float64))
    assert sinkhorn(far, 0.1, 3)[2].argmax() in scores[2].topk(2).indices


def test_nan_is_not_hidden() -> None:
    scores = torch.zeros(3, 3)
    scores[1, 1] = float("nan")
    assert sinkhorn(scores, 0.1, 3).isnan().all()


def test_scores_are_left_as_they_were() -> None:
    scores = torch.rand(3, 4)
    before = scores.clone()
    sinkhorn(scores, 0.1, 3)
    assert torch.equal(scores, before)
