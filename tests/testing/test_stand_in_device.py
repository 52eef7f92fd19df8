"""The device that is none refuses what a GPU refuses, and computes what the CPU does."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.testing.stand_in_device import STAND_IN, WrongDevice, stand_in_device

REFUSED: dict[str, Callable[[Tensor], object]] = {
    "a sum of both places": lambda x: x + torch.ones(3),
    "a network that was left behind": nn.Linear(3, 1),
    "stacked with what is on the CPU": lambda x: torch.stack([x, torch.ones(3)]),
    "an index that is away": lambda x: torch.arange(3)[x.long()],
    "its view by numpy()": lambda x: x.numpy(),
    "its view by NumPy itself": np.asarray,
    "a generator of the CPU": lambda x: torch.rand(3, generator=torch.Generator(), device=x.device),
    "the generator of the CPU in place": lambda x: x.normal_(generator=torch.Generator(device="cpu")),
    "a generator of its own on the CPU": lambda x: torch.rand(3, generator=torch.Generator(x.device)),
    "a target that was copied to the CPU": lambda x: copy.deepcopy(nn.Linear(3, 1)).to(x.device).cpu()(x),
}

ALLOWED: dict[str, Callable[[Tensor], Tensor]] = {
    "a single number of the CPU": lambda x: x * torch.tensor(2.0),
    "an index of the CPU": lambda x: x[torch.tensor([0, 2])],
    "like another": torch.zeros_like,
    "new from another": lambda x: x.new_ones(2),
    "moved": lambda x: torch.ones(3).to(x.device) + x,
    "moved to another's place": lambda x: torch.ones(3).to(x) + x,
    "made there": lambda x: torch.as_tensor(np.ones(3, np.float32), device=x.device) + x,
    "drawn there": lambda x: torch.rand(3, generator=torch.Generator(x.device).manual_seed(1), device=x.device),
    "a generator's own device": lambda x: torch.rand(3, device=torch.Generator(x.device).device),
    "a network's copy": lambda x: copy.deepcopy(nn.Linear(3, 1).to(x.device))(x),
    "of another type": lambda x: x.double(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_gpu_refuses_is_refused(what: str) -> None:
    with stand_in_device() as device, pytest.raises(WrongDevice):
        REFUSED[what](torch.zeros(3, device=device))


@pytest.mark.parametrize("what", ALLOWED)
def test_what_a_gpu_allows_stays_there(what: str) -> None:
    with stand_in_device() as device:
        assert ALLOWED[what](torch.zeros(3, device=device)).device == STAND_IN
        assert torch.zeros(3).device == torch.device("cpu")


def test_there_and_back_are_copies() -> None:
    here = torch.zeros(2)
    with stand_in_device() as device:
        there = here.to(device)
        there.add_(1)
        back = there.cpu()
        there.add_(1)
    assert (here.tolist(), back.numpy().tolist()) == ([0, 0], [1, 1])


def test_a_network_learns_there_as_on_the_cpu() -> None:
    def train(device: torch.device) -> list[float]:
        generator = torch.Generator(device="cpu").manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
        for weights in network.parameters():
            weights.data.normal_(generator=generator)
        network.to(device)
        optimizer = torch.optim.Adam(network.parameters(), foreach=True)
        for step in range(3):
            loss = network(torch.full((5, 3), float(step), device=device).cumsum(0)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            assert all(one.grad is not None and one.grad.device == device for one in network.parameters())
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        return torch.cat([one.detach().flatten() for one in network.parameters()]).cpu().tolist()

    expected = train(torch.device("cpu"))
    with stand_in_device() as device:
        assert train(device) == expected


def test_outside_of_the_block_torch_is_as_it_was() -> None:
    with stand_in_device() as device:
        there = torch.zeros(1, device=device)
    assert there.device.type == "cpu"
    assert there.numpy().tolist() == [0]
    assert type(torch.Generator()) is torch.Generator
    assert "_make_subclass" not in vars(Tensor)
