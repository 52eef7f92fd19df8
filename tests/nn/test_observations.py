"""The three ways to normalise an observation, in bytes and in floats."""

from __future__ import annotations

import pytest
import torch

from harness.nn.observations import Mode, ObservationNormaliser, Statistics

BYTES = torch.tensor([[0, 51], [255, 51]], dtype=torch.uint8)


def test_none_scales_bytes_and_leaves_floats() -> None:
    normaliser = ObservationNormaliser((2,), "none")
    torch.testing.assert_close(normaliser(BYTES), torch.tensor([[0, 0.2], [1, 0.2]]))
    vectors = torch.randn(3, 2)
    assert torch.equal(normaliser(vectors), vectors)
    assert normaliser.moments is None
    normaliser.update(vectors)


def test_subtract_mean_works_in_units_of_one() -> None:
    normaliser = ObservationNormaliser((2,), "subtract_mean")
    normaliser.update(BYTES)
    torch.testing.assert_close(normaliser(BYTES), torch.tensor([[-0.5, 0.0], [0.5, 0.0]]), atol=1e-4, rtol=0)


def test_standardise_works_on_bytes_as_they_are_and_clips() -> None:
    normaliser = ObservationNormaliser((2,), "standardise", clip=0.75)
    normaliser.update(BYTES)
    assert normaliser.moments is not None
    torch.testing.assert_close(normaliser.moments.mean, torch.tensor([127.5, 51.0]).double(), rtol=1e-4, atol=0)
    assert normaliser(BYTES)[:, 0].tolist() == [-0.75, 0.75]
    assert normaliser(torch.tensor([[128, 51]], dtype=torch.uint8))[0, 0] == pytest.approx(0.5 / 127.5, rel=2e-2)


@pytest.mark.parametrize("mode", ["none", "subtract_mean", "standardise"])
@pytest.mark.parametrize("statistics", ["chan", "cumulative"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inputs_are_kept_and_outputs_have_the_dtype(mode: Mode, statistics: Statistics, dtype: torch.dtype) -> None:
    normaliser = ObservationNormaliser((3,), mode, statistics=statistics)
    x = torch.randn(4, 3)
    kept = x.clone()
    normaliser.update(x)
    out = normaliser(x, dtype)
    assert out.dtype == dtype
    assert out.shape == x.shape
    assert torch.equal(x, kept)


def test_cumulative_statistics_see_bytes_in_units_of_one() -> None:
    """Their prior, a deviation of 0.1, means something in that unit only."""
    normaliser = ObservationNormaliser((2,), "standardise", clip=10.0, statistics="cumulative")
    normaliser.update(BYTES)
    assert normaliser.moments is not None
    torch.testing.assert_close(normaliser.moments.mean, torch.tensor([0.25, 0.1]).double(), rtol=1e-6, atol=0)
    expected = (torch.tensor([0.0, 0.2]) - normaliser.moments.mean) / normaliser.moments.std
    torch.testing.assert_close(normaliser(BYTES[:1])[0], expected.float())


def test_only_statistics_of_samples_round_to_single_precision() -> None:
    x = torch.tensor([[1 / 3]], dtype=torch.float64)
    chan, cumulative = (ObservationNormaliser((1,), "standardise", statistics=kind) for kind in ("chan", "cumulative"))
    assert chan(x, torch.float64) == chan(x, torch.float64).float()
    assert cumulative(x, torch.float64) != cumulative(x, torch.float64).float()
