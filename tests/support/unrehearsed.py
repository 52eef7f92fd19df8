"""Executions whose training is replaced: there is nothing that could be built before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.execution.worker_pool import WorkerPool


def rehearse_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the processes that load torch to build what is never trained, as ``test_rehearsal.py`` does."""
    monkeypatch.setattr("harness.execution.local.require_buildable", lambda specs, workers: WorkerPool(Path()))
