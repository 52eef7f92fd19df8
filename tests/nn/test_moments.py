"""Running moments against moments of everything at once, and the return filter against its recursion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.nn import moments
from harness.nn.moments import CumulativeMoments, ReturnNormaliser, RunningMoments

numbers = st.floats(-1e3, 1e3, width=32)
samples = arrays(np.float32, st.tuples(st.integers(1, 30), st.just(2)), elements=numbers)


def direct(values: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the samples and a prior N(0, 1) that weighs ``epsilon`` samples."""
    wide, weight = values.astype(np.float64), len(values) + epsilon
    mean = wide.sum(0) / weight
    second = ((wide - mean) ** 2).sum(0) + epsilon * (1 + mean**2)
    return mean, second / weight


@settings(deadline=None)
@given(samples, st.lists(st.integers(0, 30), max_size=5), st.sampled_from([1e-4, 1.0]))
def test_any_split_gives_the_moments_of_the_whole(values: np.ndarray, cuts: list[int], epsilon: float) -> None:
    running = RunningMoments((2,), epsilon)
    for part in np.split(values, sorted(min(cut, len(values)) for cut in cuts)):
        running.update(torch.from_numpy(part))
    mean, var = direct(values, epsilon)
    scale = 1 + np.abs(values).max() ** 2
    np.testing.assert_allclose(running.mean, mean, atol=1e-9 * scale)
    np.testing.assert_allclose(running.var, var, atol=1e-9 * scale)
    assert float(running.count) == pytest.approx(len(values) + epsilon)


def test_chunks_of_a_large_batch_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = torch.randint(0, 256, (50, 3, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    whole, chunked = RunningMoments((3, 4)), RunningMoments((3, 4))
    whole.update(batch)
    monkeypatch.setattr(moments, "_CHUNK", 100)  # 8 samples of 12 elements
    chunked.update(batch)
    torch.testing.assert_close(chunked.mean, whole.mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(chunked.var, whole.var, rtol=1e-12, atol=0)


def test_update_leaves_its_batch_alone() -> None:
    batch = torch.ones(4, 2, dtype=torch.float64)
    RunningMoments((2,)).update(batch)
    CumulativeMoments((2,)).update(batch)
    assert torch.equal(batch, torch.ones_like(batch))


@settings(deadline=None, max_examples=50)
@given(st.lists(samples, min_size=1, max_size=4))
def test_cumulative_moments_follow_their_recursion(batches: list[np.ndarray]) -> None:
    running = CumulativeMoments((2,))
    mean, accumulator, n = np.zeros(2), np.full(2, 0.01), 1
    for batch in batches:
        running.update(torch.from_numpy(batch))
        n += 1
        x = batch.astype(np.float64)
        new = mean + (x - mean).mean(0) / n
        accumulator = accumulator + ((x - mean) * (x - new)).mean(0)
        mean = new
    np.testing.assert_allclose(running.mean, mean, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(running.std, np.sqrt(accumulator / n) + 1e-7, rtol=1e-9, atol=1e-6)


def test_cumulative_moments_count_batches_not_samples() -> None:
    small, large = CumulativeMoments(), CumulativeMoments()
    small.update(torch.tensor([1.0, 3.0]))
    large.update(torch.tensor([1.0, 3.0]).repeat(100))
    assert torch.equal(small.mean, large.mean)
    assert float(small.mean) == 1.0  # the zero it starts from weighs as much as the batch


bonuses = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.just(3)),
    elements=st.floats(0, 100, width=32),
)


@settings(deadline=None)
@given(bonuses, st.floats(0, 0.999))
def test_return_filter_follows_its_recursion(rollouts: np.ndarray, gamma: float) -> None:
    normaliser = ReturnNormaliser(rollouts.shape[2], gamma)
    sums, seen = np.zeros(rollouts.shape[2]), []
    for rollout in rollouts:
        normalised = normaliser.normalise_rollout(torch.from_numpy(rollout))
        for bonus in rollout:
            sums = gamma * sums + bonus.astype(np.float64)
            seen.append(sums)
        _, var = direct(np.concatenate(seen)[:, None], 1e-4)
        np.testing.assert_allclose(normalised, rollout / np.sqrt(var), rtol=1e-4, atol=1e-6)
        assert normalised.dtype == torch.float32


def test_return_filter_runs_over_time_when_steps_and_environments_differ() -> None:
    """One environment is always 0, so its filtered sum must stay 0 whatever happens next door."""
    normaliser = ReturnNormaliser(n_envs=2, gamma=0.5)
    sums = normaliser.discounted_sums(torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))
    assert sums.tolist() == [[1.0, 0.0], [1.5, 0.0], [1.75, 0.0]]


def test_stepwise_and_whole_rollouts_end_with_the_same_statistics() -> None:
    rollout = torch.rand(7, 3, generator=torch.Generator().manual_seed(1))
    whole, stepwise = ReturnNormaliser(3, 0.99), ReturnNormaliser(3, 0.99)
    last = whole.normalise_rollout(rollout)[-1]
    normalised = [stepwise.normalise_step(bonus) for bonus in rollout]
    torch.testing.assert_close(normalised[-1], last)
    torch.testing.assert_close(stepwise.moments.var, whole.moments.var)


@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("n_envs", [1, 8])
def test_the_first_bonus_of_environments_that_start_alike_is_not_inflated(gamma: float, n_envs: int) -> None:
    """Equal bonuses throughout: what the first is divided by is the deviation of a sum that grows from 0 to its full size."""
    bonus = torch.full((n_envs,), 0.05)
    normaliser, inflated = ReturnNormaliser(n_envs, gamma), ReturnNormaliser(n_envs, gamma)
    first = normaliser.normalise_step(bonus, start="horizon")
    sums, total = [0.0], 0.0
    for _ in range(round(1 / (1 - gamma))):
        total = gamma * total + 0.05
        sums.append(total)
    torch.testing.assert_close(first, bonus / np.std(sums), rtol=0.1, atol=0)  # the prior weighs a little
    assert inflated.normalise_step(bonus).min() > 4.9 * n_envs**0.5
    later = torch.stack([normaliser.normalise_step(bonus) for _ in range(200)])
    if gamma:  # without a sum nothing ever varies
        assert first.max() < 3 * later.median()
    assert torch.equal(normaliser.filtered, _sums_of(bonus, gamma, 201))


def _sums_of(bonus: torch.Tensor, gamma: float, steps: int) -> torch.Tensor:
    return ReturnNormaliser(len(bonus), gamma).discounted_sums(bonus.repeat(steps, 1))[-1]


def test_steps_without_any_bonus_do_not_begin_the_statistics() -> None:
    normaliser = ReturnNormaliser(2, 0.99)
    for _ in range(3):
        assert normaliser.normalise_step(torch.zeros(2), start="horizon").tolist() == [0.0, 0.0]
    assert normaliser.normalise_step(torch.tensor([0.05, 0.05]), start="horizon").max() < 0.1


def test_scale_learns_nothing() -> None:
    normaliser = ReturnNormaliser(2, 0.9)
    normaliser.normalise_step(torch.tensor([1.0, 2.0]))
    before = {name: value.clone() for name, value in normaliser.state_dict().items()}
    normaliser.scale(torch.tensor([5.0, 6.0]))
    assert all(torch.equal(value, before[name]) for name, value in normaliser.state_dict().items())
