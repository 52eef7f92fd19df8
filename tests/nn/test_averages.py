"""A moving average: its recursion, that it learns nothing by itself, and that it is saved."""

from __future__ import annotations

import copy

import torch
from torch import nn

from harness.nn.averages import MovingAverage


def test_it_starts_as_a_copy_and_follows_its_recursion() -> None:
    network = nn.Linear(2, 3)
    average = MovingAverage(network, decay=0.9)
    start = network.weight.detach().clone()
    assert torch.equal(average.average.weight, start)
    with torch.no_grad():
        network.weight.add_(1)
    average.update(network)
    torch.testing.assert_close(average.average.weight, start + 0.1)
    average.update(network)
    torch.testing.assert_close(average.average.weight, start + 0.1 + 0.09)


def test_it_never_gets_a_gradient() -> None:
    network = nn.Linear(2, 3)
    average = MovingAverage(network, decay=0.9)
    x = torch.randn(4, 2, requires_grad=True)
    assert not average(x).requires_grad
    assert not any(p.requires_grad for p in average.parameters())
    assert all(p.requires_grad for p in network.parameters())


def test_buffers_are_copied() -> None:
    network = nn.BatchNorm1d(2)
    average = MovingAverage(network, decay=0.9)
    network(torch.randn(8, 2) + 5)
    average.update(network)
    assert torch.equal(average.average.running_mean, network.running_mean)


def test_it_is_saved_with_the_state() -> None:
    average = MovingAverage(nn.Linear(2, 3), decay=0.9)
    other = MovingAverage(nn.Linear(2, 3), decay=0.9)
    other.load_state_dict(copy.deepcopy(average.state_dict()))
    assert torch.equal(other.average.weight, average.average.weight)
