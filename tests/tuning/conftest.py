"""A folder with a small suite in it, for studies whose runs take milliseconds."""

from __future__ import annotations

import pytest
from support.tuning import SUITE, TESTS, SuiteFolder
from support.unrehearsed import rehearse_nothing

from harness.cli import main


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    rehearse_nothing(monkeypatch)
    (tmp_path / "toy.yaml").write_text(SUITE)
    place = SuiteFolder(tmp_path)
    yield place
    place.close()


@pytest.fixture
def harness(capsys, place, monkeypatch):
    """Run a command in this process, with training that takes milliseconds."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setattr("harness.execution.local.LocalExecutor.open_session", lambda executor, options: place.workers())

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
