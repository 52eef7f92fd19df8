"""Pushing the way a car moves brings it to its goal in every task of the suites, and the goal is then all that earns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.episodes import solved

from harness.planning.load import load
from harness_classic_control.config import ClassicControlConfig
from harness_classic_control.environment import HIGH, LOW, make

pytestmark = pytest.mark.slow
SUITES = Path(__file__).parents[2] / "suites"


@pytest.mark.parametrize(
    ("suite", "task"),
    [
        ("deep_sea", "mountain_car"),
        ("deep_sea", "mountain_car_continuous"),
        ("quick_sac", "mountain_car_continuous"),
        ("small_hard", "mountain_car"),
        ("small_hard", "mountain_car_continuous"),
        ("small_hard_sac", "mountain_car_continuous"),
    ],
)
def test_rocking_solves(suite: str, task: str):
    spec = next(s for s in load(SUITES / f"{suite}.yaml").runs if s.task == task)
    config = ClassicControlConfig.model_validate(spec.environment.config)

    def rocking(seen: np.ndarray) -> np.ndarray:
        velocity = LOW[1] + (seen[:, 1] + 1) / 2 * (HIGH[1] - LOW[1]) if config.scaled else seen[:, 1]
        right = velocity >= 0
        return np.where(right, 2, 0) if task == "mountain_car" else np.where(right, 1.0, -1.0)[:, None].astype(np.float32)

    assert solved(make(config, 200), range(200), rocking).mean() >= 0.95
