"""Whole runs on a device as strict as a GPU, which computes on the CPU: nothing is mixed, and the numbers are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import off_policy
from support.specs import make_spec
from training.test_run import content

from harness.spec import RunSpec
from harness.testing.stand_in_device import stand_in_device
from harness.training import run as run_module
from harness.training.run import train

SMALL = {"warm_up_steps": 3, "feature_dim": 16, "hidden": [16], "minibatch_order": "shuffled", "keep": 0.5}
SHORT: dict[str, Any] = {"steps": 480, "evaluate_every": 240, "checkpoint_every": 160}
CASES = {
    "none": make_spec(**SHORT),
    "sum": make_spec(**SHORT, reward="rnd", config=SMALL, combine={"mode": "sum"}),
    "two critics": make_spec(**SHORT, reward="rnd", config=SMALL),
    "off-policy": off_policy.CASES["rnd"],
}


def numbers_of(spec: RunSpec, results: Path) -> dict[str, object]:
    """What a run, trained now, must share with others of its spec."""
    off_policy.train(spec, results) if spec.algorithm.name == "sac" else train(spec, results, device="cpu")
    return content(results, spec)


EVERY_DAY = ("two critics", "off-policy")
"""Cases in which everything is computed that is in the others."""


@pytest.mark.parametrize("case", [pytest.param(case, marks=() if case in EVERY_DAY else pytest.mark.slow) for case in CASES])
def test_a_run_on_a_device_is_the_run_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    expected = numbers_of(CASES[case], tmp_path / "here")
    with stand_in_device() as device:
        monkeypatch.setattr(run_module, "choose_device", lambda name: device)
        assert numbers_of(CASES[case], tmp_path / "there") == expected
