"""In every family, and with whatever holds state around it: no checkpoint changes anything, nor does resuming from one."""

from __future__ import annotations

from pathlib import Path

import pytest
import replay
from families import ENVIRONMENTS

from harness.registry import installed
from harness.runs.folder import RunFolder
from harness.training import run

LIGHT = {"classic_control", "deep_sea", "gymnasium", "minigrid"}


def test_every_installed_family_is_a_case() -> None:
    assert {name.partition(" ")[0] for name in ENVIRONMENTS} == set(installed().environments)


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[] if name in LIGHT else [pytest.mark.slow]) for name in ENVIRONMENTS]
)
def test_checkpoints_and_resuming_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    spec = replay.spec_of(ENVIRONMENTS[case])
    found, reports = replay.check(spec, tmp_path)
    assert found == []
    restores = RunFolder.of(spec, tmp_path / "broken").read().status.restores
    assert restores == ("state" if spec.training_version == 1 else "replay")
    assert len(reports) == (0 if spec.training_version == 1 else 48)
