"""Cutting a rollout: every transition once, in the order asked for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.nn.minibatches import MinibatchOrder, mean_losses, minibatches


def env_index(steps: int, envs: int = 3) -> torch.Tensor:
    return torch.arange(envs).repeat(steps)


@given(
    st.integers(1, 20),
    st.integers(1, 40),
    st.sampled_from(["time", "shuffled", "environment"]),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_every_pass_visits_every_transition_once(
    steps: int, parts: int, order: MinibatchOrder, epochs: int, min_size: int
) -> None:
    random, n = torch.Generator().manual_seed(0), steps * 3
    cut = list(minibatches(env_index(steps), parts, order, epochs=epochs, min_size=min_size, random=random))
    each = len(cut) // epochs
    assert each == max(1, min(parts, n // min_size))
    for i in range(epochs):
        once = cut[i * each : (i + 1) * each]
        assert sorted(torch.cat(once).tolist()) == list(range(n))
        sizes = [len(part) for part in once]
        assert max(sizes) - min(sizes) <= 1
        assert min(sizes) >= min(min_size, n)


def test_orders() -> None:
    assert next(minibatches(env_index(4), 4, "time")).tolist() == [0, 1, 2]  # every environment at step 0
    assert next(minibatches(env_index(4), 3, "environment")).tolist() == [0, 3, 6, 9]  # every step of environment 0


def test_permutations_differ_between_passes_and_follow_the_seed() -> None:
    def draw(seed: int) -> list[list[int]]:
        random = torch.Generator().manual_seed(seed)
        return [part.tolist() for part in minibatches(env_index(10), 1, "shuffled", epochs=2, random=random)]

    first, second = draw(0)
    assert first != second
    assert draw(0) == [first, second]
    assert draw(1) != [first, second]


@pytest.mark.parametrize("order", ["time", "shuffled", "environment"])
def test_a_single_transition(order: MinibatchOrder) -> None:
    assert [part.tolist() for part in minibatches(env_index(1, 1), 32, order, min_size=2)] == [[0]]


def test_losses_are_averaged_by_name() -> None:
    losses = [
        {"predictor": torch.tensor(1.0), "target": torch.tensor(-2.0)},
        {"predictor": torch.tensor(4.0), "target": torch.tensor(0.0)},
    ]
    assert mean_losses(losses) == {"predictor": 2.5, "target": -1.0}
    assert mean_losses([]) == {}
