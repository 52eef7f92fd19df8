"""Reports on what has been read before: the same to the byte, made again only when something has changed, never misled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from report.synthetic import write_run, write_suite

from harness import experiment
from harness.runs.collection import collect_below
from harness.runs.remembered import MEMORY_FILE, MEMORY_FOLDER, remembering

FORMATS = ("csv",)
LONG_AGO = 1_700_000_000_000_000_000


def slow(case: str):
    return pytest.param(case, marks=pytest.mark.slow)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = write_suite(tmp_path / "results", {"ppo": 1.0, "rnd": 5.0}, tasks=("north",), seeds=3)
    make_old(folder)
    return folder


@pytest.fixture(autouse=True)
def no_freshness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a test has just written count as old, since the time of their last change of status cannot be set."""
    monkeypatch.setattr("harness.runs.remembered.FRESH_NS", -(10**12))
    monkeypatch.setattr("harness.runs.tree.FRESH_NS", -(10**12))


def make_old(folder: Path) -> None:
    for file in folder.rglob("*"):
        os.utime(file, ns=(LONG_AGO, LONG_AGO))


def report(results: Path, **options) -> experiment.ReportResult:
    return experiment.report(results, formats=FORMATS, **options)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_what_a_report_itself_has_written_may_be_large(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.runs.tree.FRESH_NS", 10**12)
    largest = max(file.stat().st_size for file in results.rglob("*") if file.is_file())
    monkeypatch.setattr("harness.runs.tree._MAX_BYTES", largest)
    first = report(results)
    assert max(file.stat().st_size for file in first.folder.rglob("*") if file.is_file()) > largest
    assert not first.unchanged
    assert report(results).unchanged
    write_run(results, "north", "ppo", 0, 2.5)
    assert not report(results).unchanged
    monkeypatch.setattr("harness.runs.tree._MAX_BYTES", 1)
    assert not report(results).unchanged
    assert not report(results).unchanged


def test_a_report_is_the_same_with_and_without_what_was_read_before(results: Path, tmp_path: Path) -> None:
    plain = content(report(results, out=tmp_path / "plain", cache=False).folder)
    assert not (results / MEMORY_FOLDER).exists()
    first = content(report(results).folder)
    write_run(results, "north", "ppo", 0, 2.5)
    assert (changed := content(report(results).folder)) != first
    assert first == plain
    assert changed == content(report(results, out=tmp_path / "plain", cache=False).folder)


def test_what_has_not_changed_is_neither_read_nor_made_again(results: Path, opened: Counter[str]) -> None:
    first = report(results)
    before = {file: file.stat().st_mtime_ns for file in first.folder.rglob("*")}
    opened.clear()
    again = report(results)
    assert (again.file, again.unreadable) == (first.file, first.unreadable)
    assert again.unchanged and not first.unchanged
    assert not opened["run.json"] and not opened["evaluations.csv"]
    assert {file: file.stat().st_mtime_ns for file in again.folder.rglob("*")} == before


def test_only_evaluations_that_have_changed_are_read_again(results: Path, opened: Counter[str]) -> None:
    report(results)
    write_run(results, "north", "ppo", 0, 9.0)
    opened.clear()
    assert not report(results).unchanged
    assert opened["evaluations.csv"] == 1


@pytest.mark.parametrize(
    "what", ["options", "content in place", "a new run", "a run less", "the report", "a table less", "code"]
)
def test_whatever_a_report_depends_on_has_it_made_again(results: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = report(results)
    options = {}
    match what:
        case "options":
            options = {"baseline": "rnd"}
        case "content in place":
            file = next(results.rglob("evaluations.csv"))
            status, text = file.stat(), file.read_text()
            file.write_text(text.replace("\n1000,0,", "\n1000,0,9", 1)[: len(text)])
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "a new run":
            write_run(results, "north", "ppo", 7)
        case "a run less":
            shutil.rmtree(next(results.rglob("seed-0")))
        case "the report":
            first.file.write_text("something else\n")
        case "a table less":
            next(first.folder.glob("*.csv")).unlink()
        case "code":
            monkeypatch.setattr("harness.report.stamps._code", lambda module: "another version")
    assert not report(results, **options).unchanged
    assert report(results, **options).unchanged


OWNER = """
import json, sys, time
from dataclasses import asdict
from harness.runs.lock import Owner
sys.stdout.write(json.dumps(asdict(Owner.this_process())) + "\\n")
sys.stdout.flush()
time.sleep(600)
"""


def test_a_run_whose_owner_dies_has_the_report_made_again(results: Path) -> None:
    folder = write_run(results, "north", "rnd", 8, state="running")
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        (folder.path / "claim").write_text(owner.stdout.readline())
        report(results)
        assert states(results) == {"finished": 6, "running": 1}
        assert report(results).unchanged
        owner.kill()
    assert not report(results).unchanged
    assert states(results) == {"finished": 6, "interrupted": 1}


def states(results: Path) -> Counter[str]:
    return Counter(run["state"] for run in json.loads((results / "report" / "manifest.json").read_text())["runs"])


DAMAGE = ("flip", "a pipe", "deep", *map(slow, ("cut", "garbage", "a folder", "a link to nothing", "another's")))


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [MEMORY_FILE, "reports.json"])
def test_a_damaged_memory_costs_time_alone(results: Path, damage: str, name: str) -> None:
    first = report(results)
    expected = content(first.folder)
    file = results / MEMORY_FOLDER / name
    data = bytearray(file.read_bytes())
    match damage:
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "flip":  # a digit of a number becomes another digit
            at = data.rindex(b"0")
            data[at] ^= 2
            file.write_bytes(data)
        case "deep":
            file.write_bytes(b"[" * 100_000)
        case "garbage":
            file.write_bytes(b"\xff\x00[[[" * 100)
        case "another's":
            file.write_bytes(bytes(data).replace(b'"format": 1', b'"format": 2'))
        case _:
            file.unlink()
            {"a folder": file.mkdir, "a pipe": lambda: os.mkfifo(file)}.get(damage, lambda: file.symlink_to("nothing"))()
    shutil.rmtree(first.folder)
    assert not report(results).unchanged
    assert content(first.folder) == expected


def test_numbers_are_believed_only_of_the_very_file(results: Path) -> None:
    with remembering(results / MEMORY_FOLDER):
        before = collect_below([results])
    file = next(results.rglob("evaluations.csv"))
    status = file.stat()
    copy = file.with_name("copy")
    copy.write_text(file.read_text().replace(",100,", ",101,"))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(file)
    with remembering(results / MEMORY_FOLDER):
        after = collect_below([results])
    lengths = [[one.means["length"] for one in run.evaluations] for run in after.runs]
    assert sorted({length for run in lengths for length in run}) == [100.0, 101.0]
    assert [run.evaluations for run in before.runs] != [run.evaluations for run in after.runs]


def test_results_that_may_not_be_written_are_reported_on_all_the_same(results: Path, tmp_path: Path) -> None:
    (results / MEMORY_FOLDER).write_text("in the way")
    first = report(results, out=tmp_path / "out")
    assert not report(results, out=tmp_path / "out").unchanged
    assert first.file.exists()


def test_a_link_in_place_of_the_folder_is_not_followed(results: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (results / MEMORY_FOLDER).symlink_to(tmp_path / "elsewhere")
    report(results)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_run_by_itself_keeps_nothing_in_its_folder(results: Path, tmp_path: Path) -> None:
    folder = next(results.rglob("seed-0"))
    before = content(folder)
    report(folder, out=tmp_path / "out")
    assert content(folder) == before
