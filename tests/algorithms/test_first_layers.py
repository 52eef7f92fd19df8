"""Weight gradients of first convolutions come faster, and are torch's own to the bit."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from harness.algorithms import first_layers
from harness.algorithms.first_layers import use_fast_gradients


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(first_layers, "_trials", {})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network(layer: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(layer, nn.ReLU(), nn.Conv2d(layer.out_channels, 4, 3), nn.Flatten(), nn.LazyLinear(2))


LAYERS = {
    "nature": (lambda: nn.Conv2d(4, 32, 8, 4), (4, 84, 84)),
    "one_frame": (lambda: nn.Conv2d(1, 32, 8, 4), (1, 84, 84)),
    "odd_size": (lambda: nn.Conv2d(1, 8, 4, 2, bias=False), (1, 31, 29)),
    "padded": (lambda: nn.Conv2d(1, 8, 3, 2, 1), (1, 32, 32)),
    "cells": (lambda: nn.Conv2d(20, 16, 2), (20, 7, 7)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_gradients_are_torchs_own_in_every_round(name: str) -> None:
    make, shape = LAYERS[name]
    torch.manual_seed(0)
    plain = network(make())
    plain(torch.rand(2, *shape))  # the lazy layer takes its size
    fast = use_fast_gradients(copy.deepcopy(plain))
    assert list(fast.state_dict()) == list(plain.state_dict())
    for batch in [*[16] * 14, 17, 31]:
        images = torch.rand(batch, *shape)
        for each in (plain, fast):
            each.zero_grad()
            each(images).square().mean().backward()
        for (key, ours), theirs in zip(fast.named_parameters(), plain.parameters(), strict=True):
            assert ours.grad is not None and theirs.grad is not None
            assert torch.equal(ours.grad, theirs.grad), key
            assert ours.grad.is_contiguous()


def test_a_way_that_gives_other_bits_is_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: object) -> object:
        weights, bias = first_layers._plain(*arguments)  # type: ignore[arg-type]
        return weights * (1 + 1e-6), bias

    monkeypatch.setattr(first_layers, "_channels_last", wrong)
    layer = use_fast_gradients(nn.Conv2d(2, 3, 3))
    other = copy.deepcopy(layer)
    for _ in range(20):
        images = torch.rand(8, 2, 9, 9)
        for each in (layer, other):
            each.zero_grad()
        layer(images).sum().backward()
        weights = torch.nn.functional.conv2d(images, other.weight, other.bias)
        weights.sum().backward()
        assert layer.weight.grad is not None and other.weight.grad is not None
        assert torch.equal(layer.weight.grad, other.weight.grad)
    (trial,) = first_layers._trials.values()
    assert list(trial.ways) == ["plain"]


def test_a_way_is_only_taken_for_the_size_of_batch_that_it_was_tried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gives the same bits for one number of images may give others for another."""
    used: list[int] = []
    clock = iter(range(10**6))
    monkeypatch.setattr(first_layers.time, "thread_time", lambda: next(clock) - 10.0 * len(used))  # so that it is the fastest

    def noted(gradient: torch.Tensor, images: torch.Tensor, *others: object) -> object:
        used.append(len(images))
        return first_layers._plain(gradient, images, *others)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(first_layers, "_channels_last", noted)
    layers = use_fast_gradients(network(nn.Conv2d(1, 32, 8, 4)))
    for _ in range(20):
        layers(torch.rand(24, 1, 84, 84)).square().mean().backward()
    assert set(used) == {24}
    layers(torch.rand(23, 1, 84, 84)).square().mean().backward()
    assert set(used) == {24}


def test_images_that_ask_for_a_gradient_get_it() -> None:
    layer = use_fast_gradients(nn.Conv2d(1, 8, 8, 4))
    images = torch.rand(3, 1, 20, 20, requires_grad=True)
    layer(images).sum().backward()
    assert images.grad is not None and images.grad.any()
    assert not first_layers._trials
