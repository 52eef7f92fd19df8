"""Which device a run gets, on machines with no GPU, one, and several.

The number of GPUs is a stand-in for what torch finds.
"""

from __future__ import annotations

import pytest
import torch

from harness.errors import UserError
from harness.training.devices import SLOT_VARIABLE, choose_device


@pytest.fixture
def gpus(monkeypatch):
    def there_are(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)

    return there_are


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_runs_at_a_time_share_out_the_gpus(gpus, monkeypatch, name):
    gpus(2)
    chosen = []
    for slot in range(5):
        monkeypatch.setenv(SLOT_VARIABLE, str(slot))
        chosen.append(choose_device(name))
    assert chosen == [torch.device("cuda", index) for index in (0, 1, 0, 1, 0)]


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_one_gpu_holds_every_run(gpus, monkeypatch, name):
    gpus(1)
    monkeypatch.setenv(SLOT_VARIABLE, "3")
    assert choose_device(name) == torch.device("cuda")


def test_a_gpu_that_is_named_is_taken(gpus, monkeypatch):
    gpus(2)
    monkeypatch.setenv(SLOT_VARIABLE, "0")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("count", "name", "message"),
    [
        (2, "cuda:2", "device cuda:2 is not there: torch sees 2 GPUs, cuda:0 to cuda:1"),
        (1, "cuda:1", "device cuda:1 is not there: torch sees one GPU, cuda:0"),
        (0, "cuda:0", "device cuda is not available here: torch sees no GPU; use --device cpu"),
        (1, "cuda:x", "unknown device 'cuda:x': auto, cpu, cuda and cuda:N are known"),
        (1, "gpu", "unknown device 'gpu': auto, cpu, cuda and cuda:N are known"),
        (1, "meta", "device meta is not supported: auto, cpu, cuda and cuda:N are"),
        (0, "mps", "device mps is not supported: auto, cpu, cuda and cuda:N are"),
        (0, "xpu:1", "device xpu:1 is not supported: auto, cpu, cuda and cuda:N are"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(gpus, count, name, message):
    gpus(count)
    with pytest.raises(UserError) as refusal:
        choose_device(name)
    assert str(refusal.value) == message


def test_without_a_gpu_auto_is_the_processor(gpus):
    gpus(0)
    assert choose_device("auto") == torch.device("cpu")
