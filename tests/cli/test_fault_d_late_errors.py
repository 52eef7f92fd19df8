"""Fault d: what goes wrong after runs were trained leaves them kept, and exit code 2 means that nothing was started."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from support import leftovers
from support.leftovers import as_everybody
from support.unrehearsed import rehearse_nothing

from harness.errors import ResultsError
from harness.execution.events import Outcome
from harness.execution.local import LocalExecutor
from harness.runs.collection import Collection

Command = Callable[..., tuple[int, str, str]]

REPORT = Path("results/small/report")


@pytest.fixture
def training(workplace: Path, monkeypatch: pytest.MonkeyPatch, no_figures: None) -> None:
    """Training that takes no time, and reports that take little."""
    (workplace / "small.yaml").write_text(leftovers.SUITE)

    def execute(executor, specs, options, on_event):
        for spec in specs:
            leftovers.leave(spec, options.results)
        return [Outcome(spec, "finished") for spec in specs]

    monkeypatch.setattr(LocalExecutor, "execute", execute)
    rehearse_nothing(monkeypatch)


def no_space(*arguments: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def check(found: tuple[int, str, str], cause: str) -> None:
    code, output, errors = found
    assert (code, errors) == (0, "")
    assert "8 runs: 8 finished" in output
    last = output.splitlines()[-1]
    assert last.startswith("no report: ") and cause in last
    assert last.endswith("the runs are kept, for a report elsewhere: harness report results/small --out DIR")


@pytest.mark.usefixtures("training")
@pytest.mark.parametrize("place", ["folder", "file", "link"])
def test_fault_d_a_report_folder_that_cannot_be_written(harness: Command, place: str) -> None:
    REPORT.parent.mkdir(parents=True)
    match place:
        case "folder":
            REPORT.mkdir(mode=0o555)
        case "file":
            REPORT.write_text("a file")
        case _:
            REPORT.symlink_to("nowhere/at/all/../..")
    with as_everybody():
        check(harness("run", "small.yaml"), "results/small/report")
        code, output, errors = harness("run", "small.yaml")  # there is nothing to do, and still nothing to be refused
    assert (code, errors) == (0, "")
    assert "nothing to do: 8 runs finished" in output


@pytest.mark.usefixtures("training")
def test_fault_d_a_disk_that_fills_while_the_report_is_written(harness: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.runs.output.write_bytes_atomic", no_space)
    check(harness("run", "small.yaml"), "No space left on device")


@pytest.mark.usefixtures("training")
def test_fault_d_whatever_is_found_wrong_after_the_start_is_no_refusal(
    harness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(found: Collection) -> list[str]:
        if found.runs:
            raise ResultsError("results: gone, all of it")
        return []

    monkeypatch.setattr("harness.runs.status.describe", fail)
    code, output, errors = harness("run", "small.yaml")
    assert (code, errors) == (1, "")
    assert output.splitlines()[-2:] == [
        "failed: results: gone, all of it",
        "what was trained is kept, and the same command goes on from there",
    ]


@pytest.mark.usefixtures("training")
def test_fault_d_before_the_start_it_is_a_refusal(harness: Command) -> None:
    Path("results").write_text("a file")
    code, output, errors = harness("run", "small.yaml")
    assert (code, output) == (2, "")
    assert "results" in errors
