"""A place for results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.leftovers import SUITE

from harness.cli import main


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a suite in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def harness(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: ``code, output, errors = harness("status", "results")``."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
