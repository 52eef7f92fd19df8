"""The random streams of a run, on machines with no GPU, one, and several; the GPUs are stand-ins."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from harness.algorithms import randomness


class Gpus:
    """Stand-ins for the generators of GPUs, of which a process uses one.

    Args:
        count: Number of GPUs; 0 if there is none.
        current: The one that the process uses; ``None`` if it uses none.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int, current: int | None) -> None:
        self.states = [torch.full((16,), index, dtype=torch.uint8) for index in range(count)]
        self.current = current
        cuda = torch.cuda
        monkeypatch.setattr(cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(cuda, "is_initialized", lambda: current is not None)
        monkeypatch.setattr(cuda, "current_device", self._used)
        monkeypatch.setattr(cuda, "get_rng_state", self._get)
        monkeypatch.setattr(cuda, "set_rng_state", self._set)
        monkeypatch.setattr(cuda, "manual_seed", lambda seed: self._set(torch.full((16,), seed, dtype=torch.uint8)))
        for name in ("get_rng_state_all", "set_rng_state_all", "manual_seed_all"):
            monkeypatch.setattr(cuda, name, lambda *_: pytest.fail("every GPU was touched"))

    def _used(self) -> int:
        assert self.current is not None, "a GPU was touched that the process does not use"
        return self.current

    def _get(self) -> torch.Tensor:
        return self.states[self._used()].clone()

    def _set(self, state: torch.Tensor) -> None:
        self.states[self._used()] = state


def draw() -> list[float]:
    return [random.random(), float(np.random.random()), float(torch.rand(()))]


def test_a_run_without_a_gpu_touches_none(monkeypatch):
    Gpus(monkeypatch, 4, None)
    with randomness.temporary_seed(3):
        first = draw()
    with randomness.temporary_seed(3):
        assert draw() == first
    assert "cuda" not in randomness.get_state()


def test_a_seed_for_a_block_reaches_the_gpu_in_use_and_leaves_no_trace(monkeypatch):
    gpus = Gpus(monkeypatch, 2, 1)
    before = draw(), randomness.get_state()
    randomness.set_state(before[1])
    with randomness.temporary_seed(9):
        assert [state[0].item() for state in gpus.states] == [0, 9]
    assert [state[0].item() for state in gpus.states] == [0, 1]
    after = draw()
    randomness.set_state(before[1])
    assert draw() == after


@pytest.mark.parametrize(("count", "current", "restored"), [(1, 0, 0), (2, 1, 1), (8, 7, 0)])
def test_a_checkpoint_of_a_machine_with_other_gpus_can_be_resumed(monkeypatch, count, current, restored):
    gpus = Gpus(monkeypatch, count, current)
    states = [torch.full((16,), 100 + index, dtype=torch.uint8) for index in range(4)]
    randomness.set_state({**randomness.get_state(), "cuda": states})
    assert gpus.states[current][0].item() == 100 + restored


@pytest.mark.parametrize("count", [0, 2])
def test_a_checkpoint_of_a_gpu_can_be_resumed_without_one(monkeypatch, count):
    Gpus(monkeypatch, count, None)
    randomness.set_state({**randomness.get_state(), "cuda": [torch.zeros(16, dtype=torch.uint8)] * 4})
