"""Fault a: what may not be looked at is not what is not there. It is named and counted, by status, report and run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.leftovers import RESULTS, as_everybody, leave, leave_all

from harness.planning.load import load
from harness.runs.folder import RunFolder

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def finished(workplace: Path) -> Iterator[list[RunFolder]]:
    folders = leave_all()
    with as_everybody():
        yield folders
    subprocess.run(["chmod", "-R", "u+rwX", str(RESULTS)], check=True)


def places(folder: RunFolder) -> dict[str, tuple[Path, int, int]]:
    """What is taken away, its mode, and how many runs can still be read."""
    task = folder.path.parent.parent
    return {
        "record": (folder.record_file, 0, 7),
        "seed": (folder.path, 0, 7),
        "method": (folder.path.parent, 0, 6),
        "task": (task, 0, 4),
        "task that may be listed but not entered": (task, 0o444, 4),
        "task that may be entered but not listed": (task, 0o111, 4),
    }


PLACES = ["record", "seed", "method", "task", "task that may be listed but not entered"]


@pytest.mark.parametrize("place", [*PLACES, "task that may be entered but not listed"])
def test_fault_a_status_names_and_counts_what_it_may_not_read(harness: Command, finished: list[RunFolder], place: str) -> None:
    path, mode, left = places(finished[0])[place]
    path.chmod(mode)
    code, output, errors = harness("status", "results", "--json")
    assert (code, errors) == (1, "")
    found = json.loads(output)
    assert [run["state"] for run in found["runs"]].count("finished") == left
    assert found["unreadable"] == len(found["skipped"]) >= 1
    assert all(str(path) in line and "Permission denied" in line for line in found["skipped"])
    code, output, errors = harness("status", "results")
    assert (code, errors) == (1, "")
    assert f"; {len(found['skipped'])} thing" in output.splitlines()[-1]


@pytest.mark.parametrize("place", PLACES)
def test_fault_a_run_refuses_runs_that_it_may_not_read_in_one_sentence(
    harness: Command, finished: list[RunFolder], place: str
) -> None:
    path, mode, _ = places(finished[0])[place]
    path.chmod(mode)
    code, output, errors = harness("run", "small.yaml")
    assert (code, output) == (2, "")
    assert errors.startswith(f"error: {path}: may not be ")
    assert len(errors.splitlines()) == 1
    assert not (RESULTS / "small/report").exists()


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("place", ["record", "task"])
def test_fault_a_report_is_written_without_what_it_may_not_read_and_names_it(
    harness: Command, finished: list[RunFolder], place: str
) -> None:
    path, mode, _ = places(finished[0])[place]
    path.chmod(mode)
    code, output, errors = harness("report", "results", "--format", "md", "--out", "out")
    assert (code, errors) == (1, "")
    assert f"skipped: {path}: may not be " in output
    assert f"{path}: may not be " in Path("out/report.md").read_text()


def test_fault_a_a_whole_suite_or_results_folder_is_named(harness: Command, finished: list[RunFolder]) -> None:
    for folder in (RESULTS / "small", RESULTS):
        folder.chmod(0)
        code, output, errors = harness("status", "results")
        assert (code, errors) == (1, "")
        assert f"skipped: {folder}: may not be looked into (Permission denied)" in output
        assert output.splitlines()[-1] == "0 runs; 1 thing could not be read"
        code, _, errors = harness("report", "results", "--out", "out")
        assert code == 2
        assert str(folder) in errors
        code, _, errors = harness("run", "small.yaml")
        assert (code, errors) == (2, f"error: {folder}: may not be entered (Permission denied)\n")
        folder.chmod(0o777)


def test_fault_a_run_refuses_folders_in_which_it_may_not_write(harness: Command, workplace: Path) -> None:
    task = RESULTS / "small/n4"
    task.mkdir(parents=True, mode=0o777)
    task.chmod(0o555)
    for options in ((), ("--fresh",)):
        with as_everybody():
            code, output, errors = harness("run", "small.yaml", *options)
        assert (code, output) == (2, "")
        assert f"{task}: may not be read and written" in errors


def test_fault_a_a_checkpoint_folder_that_may_not_be_looked_into_is_named(harness: Command, finished: list[RunFolder]) -> None:
    checkpoint = finished[0].checkpoint
    checkpoint.mkdir(mode=0)
    code, output, _ = harness("status", "results")
    assert code == 1
    assert f"skipped: {checkpoint}: may not be looked into (Permission denied)" in output


def test_fault_a_links_are_named_whether_they_lead_nowhere_or_elsewhere(harness: Command, workplace: Path) -> None:
    folder = leave(load("small.yaml").runs[0])
    elsewhere = workplace / "elsewhere"
    (RESULTS / "small" / "n4").rename(elsewhere)
    (RESULTS / "small" / "n4").symlink_to(elsewhere)
    (RESULTS / "small" / "run.json").symlink_to("nowhere")
    code, output, _ = harness("status", "results")
    assert code == 1
    assert "skipped: results/small/n4: is a link to a folder, which is not followed: give that folder itself" in output
    assert "skipped: results/small/run.json: is a link that leads nowhere" in output
    assert harness("status", folder.path)[0] == 0
