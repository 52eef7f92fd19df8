"""Fault c: that a report exists does not mean that it shows these runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.leftovers import leave_all

from harness.runs.folder import RunFolder

Command = Callable[..., tuple[int, str, str]]
PAGE = Path("results/small/report/index.html")


@pytest.fixture
def folders(workplace: Path) -> list[RunFolder]:
    return leave_all()


no_figures = pytest.mark.usefixtures("no_figures")


@no_figures
def test_fault_c_run_rewrites_a_report_that_shows_another_plan(harness: Command, folders: list[RunFolder]) -> None:
    assert harness("run", "small.yaml")[1].splitlines()[-1] == "for a report: harness report results/small"
    harness("report", *(folder.path for folder in folders[:2]), "--out", PAGE.parent)
    assert "n5" not in PAGE.read_text()
    code, output, _ = harness("run", "small.yaml", "--no-report")
    assert code == 0
    assert output.splitlines()[-1] == (f"report: {PAGE} is out of date; to write it anew: harness report results/small")
    code, output, _ = harness("run", "small.yaml")
    assert (code, output.splitlines()[-1]) == (0, f"report: {PAGE}")
    assert "n5" in PAGE.read_text()
    written = PAGE.stat().st_mtime_ns
    assert harness("run", "small.yaml")[1].splitlines()[-1] == f"report: {PAGE}"
    assert PAGE.stat().st_mtime_ns == written  # it was current
    harness("run", "small.yaml", "--task", "n4")
    assert "n5" not in PAGE.read_text()


@no_figures
def test_fault_c_a_report_is_current_only_of_these_scores(harness: Command, folders: list[RunFolder]) -> None:
    harness("report", "results", "--out", PAGE.parent)
    assert "out of date" not in harness("run", "small.yaml", "--no-report")[1]
    text = folders[0].evaluations_file.read_text()
    folders[0].evaluations_file.write_text(text.replace("256,0,0.0,", "256,0,0.4,"))
    assert "out of date" in harness("run", "small.yaml", "--no-report")[1]


@no_figures
@pytest.mark.parametrize("what", ["cut page", "manifest gone", "manifest of another page", "manifest a folder", "brackets"])
def test_fault_c_a_damaged_report_is_not_current(harness: Command, folders: list[RunFolder], what: str) -> None:
    harness("report", "results", "--out", PAGE.parent)
    manifest = PAGE.with_name("manifest.json")
    match what:
        case "cut page":
            PAGE.write_text(PAGE.read_text()[:1000])
        case "manifest gone":
            manifest.unlink()
        case "manifest of another page":
            manifest.write_text(manifest.read_text().replace('"index.html"', '"report.html"'))
        case "manifest a folder":
            manifest.unlink()
            manifest.mkdir()
        case _:
            manifest.write_text("[" * 100_000)
    code, output, errors = harness("run", "small.yaml", "--no-report")
    assert (code, errors) == (0, "")
    assert "out of date" in output


def test_fault_c_reports_are_the_same_to_the_byte_wherever_the_results_lie(harness: Command, folders: list[RunFolder]) -> None:
    harness("report", "results", "--out", "first")
    harness("report", "results", "--out", "second")
    assert Path("first/manifest.json").read_bytes() == Path("second/manifest.json").read_bytes()
