"""What a clip takes is told once."""

from __future__ import annotations

import pytest
import torch

from harness.nn.clipping import BonusClipper

CPU = torch.device("cpu")


def test_the_share_is_of_the_sum_and_forgotten_when_told() -> None:
    clip = BonusClipper(1.0, CPU)
    assert clip(torch.tensor([0.5, 3.0], dtype=torch.float64)).tolist() == [0.5, 1.0]
    assert clip(torch.tensor([0.5])).tolist() == [0.5]
    assert clip.pop_share() == pytest.approx(2 / 4)
    assert clip.pop_share() == 0
    clip(torch.tensor([0.5]))
    assert clip.pop_share() == 0


def test_no_bound_takes_nothing() -> None:
    clip = BonusClipper(None, CPU)
    bonus = clip(torch.tensor([1e9], dtype=torch.float64))
    assert bonus.dtype == torch.float32
    assert clip.pop_share() == 0
