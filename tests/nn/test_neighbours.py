"""Distances to nearest neighbours against brute force, and the queue against a deque."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.nn import neighbours
from harness.nn.neighbours import VectorQueue, k_distances, kth_distance


def by_hand(points: torch.Tensor, bank: torch.Tensor, k: int) -> torch.Tensor:
    """In float64, from differences, by sorting everything."""
    differences = points.double()[:, None] - bank.double()[None]
    return differences.norm(dim=2).sort(1).values[:, k - 1].to(points.dtype)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


@given(
    st.integers(0, 2**20),
    st.integers(1, 9),
    st.integers(1, 60),
    st.integers(1, 20),
    st.data(),
    st.sampled_from([torch.float32, torch.float64]),
)
@settings(max_examples=200)
def test_distances_are_those_of_brute_force(
    seed: int, n: int, q: int, dim: int, data: st.DataObject, dtype: torch.dtype
) -> None:
    """Clusters of every tightness, copies of points, zero rows, any k."""
    rng = np.random.default_rng(seed)
    k = data.draw(st.integers(1, q))
    spread = data.draw(st.sampled_from([0.0, 1e-6, 1e-4, 1e-2, 1.0, 100.0]))
    centres = rng.standard_normal((3, dim))
    bank = torch.from_numpy(centres[rng.integers(3, size=q)] + spread * rng.standard_normal((q, dim))).to(dtype)
    points = torch.from_numpy(centres[rng.integers(3, size=n)] + spread * rng.standard_normal((n, dim))).to(dtype)
    bank[rng.random(q) < 0.2] = 0
    copied = rng.random(q) < 0.2
    bank[copied] = points[rng.integers(n, size=q)[copied]]
    torch.testing.assert_close(kth_distance(points, bank, k), by_hand(points, bank, k), rtol=1e-5, atol=0)


def test_all_k_distances_are_those_of_brute_force() -> None:
    points, bank = unit(40, 8), torch.cat([unit(40, 8), unit(300, 8, seed=1)])
    expected = torch.stack([by_hand(points, bank, k) for k in range(1, 8)], 1)
    torch.testing.assert_close(k_distances(points, bank, 7), expected, rtol=1e-5, atol=0)
    assert torch.equal(k_distances(points, bank, 7)[:, -1], kth_distance(points, bank, 7))


@pytest.mark.parametrize("spread", [1e-7, 1e-5, 1e-3, 1.0])
def test_a_collapsed_representation_keeps_its_small_distances(spread: float) -> None:
    """Directions that differ in their last digits, around two poles, where an expanded square is nothing but rounding."""
    poles = unit(2, 128)
    bank = poles.repeat(512, 1) + spread * unit(1024, 128, seed=1)
    points = poles.repeat(64, 1) + spread * unit(128, 128, seed=2)
    torch.testing.assert_close(kth_distance(points, bank, 3), by_hand(points, bank, 3), rtol=1e-5, atol=0)


def test_a_row_that_equals_the_point_is_at_distance_zero() -> None:
    points = unit(50, 128)
    bank = torch.cat([points, unit(2000, 128, seed=1)])
    assert not kth_distance(points, bank, 1).any()
    assert (kth_distance(points, bank, 2) > 0).all()


def test_equal_rows_count_one_by_one() -> None:
    bank = torch.tensor([[0.0], [0.0], [1.0], [5.0]])
    distances = [float(kth_distance(torch.zeros(1, 1), bank, k)) for k in (1, 2, 3, 4)]
    assert distances == [0, 0, 1, 5]


def test_differences_are_looked_into_only_where_rounding_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for points spread out, nor in one tight bundle, nor where the nearest rows are zero vectors, all at distance 1."""
    compared: list[int] = []

    def counted(points: torch.Tensor, bank: torch.Tensor, k: int) -> torch.Tensor:
        compared.append(len(points))
        return by_hand(points, bank, k)[:, None].expand(-1, k)

    monkeypatch.setattr(neighbours, "_exact_k_distances", counted)
    kth_distance(unit(512, 128), torch.cat([unit(512, 128, seed=1), torch.zeros(1536, 128)]), 3)
    kth_distance(unit(512, 128), unit(2048, 128, seed=1), 3)
    kth_distance(unit(1, 128) + 1e-3 * unit(512, 128, seed=2), unit(1, 128) + 1e-3 * unit(2048, 128, seed=1), 3)
    assert compared == []


def test_distances_are_not_part_of_any_gradient() -> None:
    points = unit(4, 3).requires_grad_()
    assert not kth_distance(points, unit(9, 3), 2).requires_grad


@given(st.integers(1, 12), st.lists(st.integers(0, 30), max_size=8))
def test_the_queue_keeps_the_newest(size: int, pushes: list[int]) -> None:
    """Whether or not pushes divide the queue, fit into it, or contain anything."""
    queue, expected, counter = VectorQueue(size, 2), deque([0.0] * size, maxlen=size), 1
    for n in pushes:
        values = torch.arange(counter, counter + n, dtype=torch.float32)
        queue.push(values[:, None].expand(-1, 2))
        expected.extend(values.tolist())
        counter += n
    assert int(queue.pointer) == sum(pushes) % size
    in_order = queue.rows.roll(-int(queue.pointer), 0)  # the pointer is at the oldest
    assert in_order[:, 0].tolist() == list(expected)
    assert torch.equal(queue.rows[:, 0], queue.rows[:, 1])


def test_the_queue_is_part_of_the_state() -> None:
    queue, other = VectorQueue(4, 2), VectorQueue(4, 2)
    queue.push(unit(3, 2))
    other.load_state_dict(queue.state_dict())
    other.push(unit(2, 2, seed=1)), queue.push(unit(2, 2, seed=1))
    assert torch.equal(other.rows, queue.rows) and int(other.pointer) == 1
