"""A machine from which jobs can be submitted, to a stand-in for Slurm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import fake_slurm

from harness_slurm.executor import SlurmExecutor


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the stand-in keeps what was submitted; see `support.fake_slurm`."""
    state = tmp_path / "slurm"
    monkeypatch.setenv("PATH", f"{fake_slurm.install(state)}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(state))
    for name, seconds in (("look_seconds", 0.05), ("ask_seconds", 0.3), ("lag_seconds", 0.5)):
        monkeypatch.setattr(SlurmExecutor, name, seconds)
    return state
