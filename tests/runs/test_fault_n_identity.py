"""Fault n: a folder is believed to hold the run of its place only if its ``run.json`` says so too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.leftovers import RESULTS, SUITE, leave_all

from harness.errors import ResultsError
from harness.planning.load import load
from harness.runs.folder import RunFolder
from harness.runs.tables import read_runs

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folders(workplace: Path) -> list[RunFolder]:
    """By task, method and seed."""
    return sorted(leave_all(), key=lambda folder: folder.path)


def copy_seed(folders: list[RunFolder]) -> list[Path]:
    shutil.rmtree(folders[1].path)
    shutil.copytree(folders[0].path, folders[1].path)
    return [folders[1].path]


def swap_methods(folders: list[RunFolder]) -> list[Path]:
    one, other = folders[0].path.parent, folders[2].path.parent
    one.rename("aside")
    other.rename(one)
    Path("aside").rename(other)
    return [folder.path for folder in folders[:4]]


def copy_task(folders: list[RunFolder]) -> list[Path]:
    shutil.rmtree(folders[4].path.parent)
    shutil.copytree(folders[0].path.parent, folders[4].path.parent)
    return [folders[4].path, folders[5].path]


def edit(folders: list[RunFolder], change: Callable[[dict], None]) -> list[Path]:
    file = folders[0].record_file
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return [folders[0].path]


CHANGES: dict[str, Callable[[list[RunFolder]], list[Path]]] = {
    "seed-0 copied to seed-1": copy_seed,
    "folders of two methods swapped": swap_methods,
    "folder of a method copied to another task": copy_task,
    "seed": lambda folders: edit(folders, lambda content: content["spec"].update(seed=7)),
    "task": lambda folders: edit(folders, lambda content: content["spec"].update(task="n5")),
    "method": lambda folders: edit(folders, lambda content: content["spec"].update(method="../rnd")),
    "digest": lambda folders: edit(folders, lambda content: content.update(digest="00000000")),
    "method digest": lambda folders: edit(folders, lambda content: content.update(method_digest="00000000")),
    "steps": lambda folders: edit(folders, lambda content: content["spec"].update(steps=512)),
    "environment": lambda folders: edit(folders, lambda content: content["spec"]["environment"]["config"].update(size=9)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_fault_n_a_misplaced_run_is_named_and_counted_nowhere(
    harness: Command, folders: list[RunFolder], change: Callable[[list[RunFolder]], list[Path]]
) -> None:
    misplaced = change(folders)
    before = {file: file.read_bytes() for file in RESULTS.rglob("*") if file.is_file()}
    code, output, _ = harness("status", "results")
    assert code == 1
    lines = [line for line in output.splitlines() if line.startswith("skipped: ")]
    assert len(lines) == len(misplaced)
    for path, line in zip(misplaced, lines, strict=True):
        assert str(path) in line
    left = 8 - len(misplaced)
    assert f"{left} finished" in output.splitlines()[-1]
    assert read_runs("results").filter(state="finished").height == left
    code, output, _ = harness("report", "results", "--format", "csv", "--out", "out")
    assert code == 1 and all(line in output for line in lines)
    code, output, errors = harness("run", "small.yaml")
    assert (code, output) == (2, "")
    assert {line.removeprefix("error: ") for line in errors.splitlines()} == {line.removeprefix("skipped: ") for line in lines}
    assert {file: file.read_bytes() for file in RESULTS.rglob("*") if file.is_file()} == before


def test_fault_n_the_remedy_is_said_and_helps(harness: Command, folders: list[RunFolder]) -> None:
    (path,) = copy_seed(folders)
    errors = harness("run", "small.yaml")[2]
    assert errors == (
        f"error: {path}: holds another run, {folders[0].path.relative_to(RESULTS / 'small')}: move it back to that place,"
        " or delete it\n"
    )
    shutil.rmtree(path)
    assert harness("status", "results")[0] == 0


def test_fault_n_another_suite_s_folder_is_not_this_suite_s(harness: Command, folders: list[RunFolder]) -> None:
    Path("other.yaml").write_text(SUITE.replace("suite: small", "suite: other"))
    shutil.copytree(RESULTS / "small", RESULTS / "other")
    code, output, errors = harness("run", "other.yaml")
    assert (code, output) == (2, "")
    assert errors.startswith("error: results/other/n4/ppo-")
    assert "holds another run, small/n4/ppo-" in errors
    output = harness("status", "results")[1]
    assert output.splitlines()[-1] == "8 runs: 8 finished"  # the copies count once
    assert "note: 8 folders left out of every count and score" in output


def test_fault_n_a_suite_s_folder_may_be_renamed_or_be_a_link(harness: Command, folders: list[RunFolder]) -> None:
    Path("kept").symlink_to((RESULTS / "small").rename(RESULTS / "small-of-may"))
    for root in ("results", "kept", "kept/n4"):
        assert harness("status", root)[0] == 0
    one = folders[0].path.relative_to(RESULTS / "small")
    Path("latest").symlink_to("kept" / one)
    assert harness("status", "latest")[1].splitlines()[-1] == "1 run: 1 finished"


def test_fault_n_training_checks_it_as_well(folders: list[RunFolder]) -> None:
    from harness.training.run import train

    (path,) = copy_seed(folders)
    spec = next(spec for spec in load("small.yaml").runs if RunFolder.of(spec, RESULTS).path == path)
    with pytest.raises(ResultsError, match="holds another run"):
        train(spec, RESULTS)
