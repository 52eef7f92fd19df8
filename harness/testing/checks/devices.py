"""The method on another device than the CPU: on a GPU where there is one, and everywhere on one that is none."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from harness.rewards import IntrinsicReward
from harness.testing.checks import numbers
from harness.testing.checks.state import checkpoint_round_trip
from harness.testing.outcomes import CheckFailed, NotApplicable, require, require_finite, require_same
from harness.testing.stand_in_device import WrongDevice, stand_in_device
from harness.testing.subject import ConformanceCase

_ROUNDING = 0.05
"""GPUs convolve with shorter mantissas, and a distillation error is a difference of numbers that are nearly equal."""


def cuda(case: ConformanceCase) -> None:
    """See `moves`."""
    if not torch.cuda.is_available():
        raise NotApplicable("there is no GPU here")
    moves(case, torch.device("cuda"))


def device(case: ConformanceCase) -> None:
    """See `moves`; what a GPU would refuse is refused."""
    try:
        with stand_in_device() as away:
            moves(case, away)
    except WrongDevice as error:
        raise CheckFailed(f"expected nothing that a GPU would refuse, got {error}") from error


def moves(case: ConformanceCase, device: torch.device) -> None:
    """From a checkpoint made on the CPU it gives the same bonuses on the device, and goes on running there.

    Random numbers may be drawn on the device, so what is learnt there need not be the same.
    """
    there = replace(case, device=device)
    numbers.bonus(there)
    here, moved = case.build(1), there.build(2)
    case.run_rollouts(here, 1)
    moved.load_state_dict(checkpoint_round_trip(here))
    expected, found = _bonuses(case, here), _bonuses(there, moved)
    place = found["bonuses"].device
    require(_name(place) == _name(device), f"bonuses on {device}", f"bonuses on {place}")
    require_same(expected, found, f"on {device} as on the CPU", tolerance=_ROUNDING)
    for name, values in there.run_rollouts(moved, 2, 3).items():
        require_finite(values, f"{name} on {device}")


def _name(device: torch.device) -> tuple[str, int]:
    """Type and index, which is not always given."""
    return device.type, device.index or 0


def _bonuses(case: ConformanceCase, reward: IntrinsicReward) -> dict[str, Tensor]:
    return {"bonuses": reward.bonus(case.rollout(reward, case.script(3)))}
