"""Covariance and its relatives against numpy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.nn.covariance import covariance, deviation, off_diagonal, standardise

features = arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(2, 5)), elements=st.floats(-10, 10, width=32))


@given(features)
def test_covariance_and_deviation_are_numpys(values: np.ndarray) -> None:
    x = torch.from_numpy(values)
    np.testing.assert_allclose(covariance(x), np.cov(values.T), atol=1e-9)
    np.testing.assert_allclose(deviation(x), values.std(0, ddof=1), atol=1e-7)
    np.testing.assert_allclose(deviation(x, 0.5), np.sqrt(values.var(0, ddof=1) + 0.5), atol=1e-7)


def test_covariance_by_hand() -> None:
    torch.testing.assert_close(covariance(torch.tensor([[1.0, 2.0], [3.0, -2.0]])), torch.tensor([[2.0, -4.0], [-4.0, 8.0]]))


@pytest.mark.parametrize("n", [2, 3, 7])
def test_off_diagonal_is_everything_else(n: int) -> None:
    matrix = torch.arange(n * n).view(n, n)
    rest = off_diagonal(matrix)
    assert rest.tolist() == matrix[~torch.eye(n, dtype=torch.bool)].tolist()


def test_a_symmetric_matrix_is_not_needed() -> None:
    assert off_diagonal(torch.tensor([[1, 2], [3, 4]])).tolist() == [2, 3]


def test_standardised_features() -> None:
    x = torch.randn(50, 3, dtype=torch.float64) * torch.tensor([1.0, 10.0, 0.0]) + 5
    z = standardise(x)
    torch.testing.assert_close(z.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(z[:, :2].var(0, correction=0), torch.ones(2, dtype=torch.float64), atol=1e-4, rtol=0)
    assert not z[:, 2].any()  # constant features stay finite
