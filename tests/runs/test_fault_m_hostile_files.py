"""Fault m: whatever lies in a results folder is named, and stops neither status nor report nor run for the rest, for long."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.leftovers import RESULTS, SUITE, leave_all

from harness.planning.load import load
from harness.runs.folder import RunFolder
from harness.runs.lock import Claim

Command = Callable[..., tuple[int, str, str]]
SECONDS = 5

DEEP = "[" * 100_000
NESTED = '{"a":' * 500 + "1" + "}" * 500


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of all runs, to be copied."""
    place = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        Path("small.yaml").write_text(SUITE)
        leave_all()
    return place / RESULTS


@pytest.fixture
def folders(template: Path, workplace: Path) -> Iterator[list[RunFolder]]:
    """Folders of all runs; whatever waits for more than a few seconds fails."""

    def fail(*_: object) -> None:
        raise TimeoutError(f"took more than {SECONDS} s")

    shutil.copytree(template, RESULTS)
    before = signal.signal(signal.SIGALRM, fail)
    yield [RunFolder.of(spec, RESULTS) for spec in load("small.yaml").runs]
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def replace(file: Path, what: str) -> None:
    """Put something else in a file's place."""
    text = file.read_text() if file.is_file() else ""
    file.unlink(missing_ok=True)
    match what:
        case "fifo":
            os.mkfifo(file)
        case "socket":
            with socket.socket(socket.AF_UNIX) as end:
                here = Path.cwd()
                os.chdir(file.parent)  # its name is too long for a socket's
                end.bind(file.name)
                os.chdir(here)
        case "endless device":
            file.symlink_to("/dev/zero")
        case "terminal":
            file.symlink_to("/dev/tty")
        case "endless file":
            file.symlink_to("/proc/self/mem")
        case "folder":
            file.mkdir()
        case "link that leads nowhere":
            file.symlink_to("nowhere")
        case "link to itself":
            file.symlink_to(file.name)
        case "link to a folder":
            file.symlink_to("/etc")
        case "sparse":
            with file.open("wb") as sparse:
                sparse.truncate(1 << 40)
        case "truncated":
            file.write_text(text[: len(text) // 2])
        case _:
            file.write_bytes(what.encode("utf-8", "surrogateescape"))


THINGS = [
    *("fifo", "socket", "endless device", "terminal", "folder", "link that leads nowhere", "link to itself"),
    *("link to a folder", "sparse"),
]
JSON = [
    "truncated",
    "",
    "null",
    "[]",
    "7",
    DEEP,
    NESTED,
    '{"a": ' + "1" * 5000 + "}",
    "NaN",
    "\udcff\udcfe",
    "\ufeff{}",
    "1e999",
]


def timed(harness: Command, *arguments: object) -> tuple[int, str, str]:
    began = time.monotonic()
    signal.alarm(12 * SECONDS)  # the machine may be busy; the time of this process counts below
    used = time.process_time()
    found = harness(*arguments)
    signal.alarm(0)
    assert time.process_time() - used < SECONDS, f"took {time.monotonic() - began:.1f} s"
    return found


def brief(what: str) -> str:
    return ascii(what if len(what) < 40 else what[:10] + "...")


@pytest.mark.parametrize("what", [*THINGS, *JSON], ids=brief)
def test_fault_m_a_record_that_is_none(harness: Command, folders: list[RunFolder], what: str) -> None:
    replace(folders[0].record_file, what)
    code, output, errors = timed(harness, "status", "results")
    assert (code, errors) == (1, "")
    assert f"skipped: {folders[0].record_file}: " in output
    assert output.splitlines()[-1] == "8 runs: 7 finished, 1 missing; 1 thing could not be read"
    code, output, errors = timed(harness, "run", "small.yaml")
    assert (code, output) == (2, "")
    assert errors.startswith(f"error: {folders[0].record_file}: ")
    assert max(map(len, errors.splitlines())) < 800


def changed(keys: str, value: object) -> Callable[[dict], None]:
    def change(content: dict) -> None:
        *above, last = keys.split(".")
        for key in above:
            content = content[key]
        content[last] = value

    return change


RANGES = {
    f"{keys}={value!r:.20}": changed(keys, value)
    for keys, value in [
        *(
            (f"status.{key}", value)
            for key in ("step", "attempts", "seconds")
            for value in (-1, 10**30, 10**400, "many", None)
        ),
        *((f"spec.{key}", value) for key in ("steps", "seed", "checkpoint_every") for value in (-1, 10**30, 0.5)),
        *(("spec.evaluation", value) for value in ({"every": 0}, {"every": 10**30}, [], None)),
        *((key, {}) for key in ("spec", "status", "provenance.x.y")),
        *(("status.started", value) for value in (7, None, [])),
        ("status.state", "done"),
        ("status.history", [{"state": "finished"}]),
        ("spec.task", "half \ud800 of a character"),
        ("format", 2),
    ]
    if keys != "provenance.x.y"
}


@pytest.mark.parametrize("change", RANGES.values(), ids=RANGES)
def test_fault_m_numbers_of_a_record_that_are_none(
    harness: Command, folders: list[RunFolder], change: Callable[[dict], None]
) -> None:
    content = json.loads(folders[0].record_file.read_text())
    change(content)
    folders[0].record_file.write_text(json.dumps(content))
    code, output, errors = timed(harness, "status", "results", "--json")
    assert (code, errors) == (1, "")
    (line,) = json.loads(output)["skipped"]
    assert str(folders[0].path) in line


@pytest.mark.parametrize("what", [*THINGS, "a\0b\n1,2\n", "step,return\n", '"' + "x" * 200_000 + "\n"], ids=brief)
@pytest.mark.parametrize("name", ["evaluations_file", "progress_file"])
def test_fault_m_a_table_that_is_none(harness: Command, folders: list[RunFolder], name: str, what: str) -> None:
    file = getattr(folders[0], name)
    replace(file, what)
    code, output, errors = timed(harness, "status", "results")
    assert (code in (0, 1), errors) == (True, "")
    assert output.splitlines()[-1].startswith("8 runs: 8 finished")
    assert (f"skipped: {file}: " in output) == (code == 1)
    if name == "evaluations_file" and what != "step,return\n":
        assert code == 1
        code, output, errors = timed(harness, "report", "results", "--format", "csv", "--out", "out")
        assert (code, errors) == (1, "")
        assert f"skipped: {file}: " in output


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e30", "-1", "0.5", "1_0", "", "x", "9" * 5000, "٣.5"], ids=brief)
def test_fault_m_steps_that_are_none_are_named_and_the_rest_counts(
    harness: Command, folders: list[RunFolder], value: str
) -> None:
    with folders[0].evaluations_file.open("a") as file:
        file.write(f"{value},0,9,9\n")
    code, output, errors = timed(harness, "status", "results")
    assert (code, errors) == (1, "")
    assert f"skipped: {folders[0].evaluations_file}: row 5 is left out: step is no count, but " in output
    assert next(line for line in output.splitlines() if line.startswith("n4  ")).split()[3] == "0.300"
    assert timed(harness, "report", "results", "--format", "csv", "--out", "out")[0] == 1


@pytest.mark.parametrize("value", ["1e300", "-1e308", "x", "", "1" * 400], ids=brief)
def test_fault_m_returns_that_are_none(harness: Command, folders: list[RunFolder], value: str) -> None:
    text = folders[0].evaluations_file.read_text()
    folders[0].evaluations_file.write_text(f"{text}256,2,{value},9\n")
    code, output, errors = timed(harness, "status", "results")
    assert (code, errors) == (1, "")
    assert "row 5 is left out: return is no number that a return can be" in output


@pytest.mark.parametrize("row", ["nan,64", "1e30,64", "-1,64", "512,nan", "512,inf", "512,-3", "x,y", ",", "1e15,1e300"])
def test_fault_m_progress_of_a_running_run(harness: Command, folders: list[RunFolder], row: str) -> None:
    folders[0].set_state("running", step=7)
    folders[0].progress_file.write_text(f"time/total_timesteps,time/fps\n{row}\n")
    claim = Claim(folders[0].path / "claim")
    claim.acquire()
    try:
        code, output, errors = timed(harness, "status", "results", "--json")
    finally:
        claim.release()
    assert (code, errors) == (0, "")
    assert [run["step"] for run in json.loads(output)["runs"] if run["state"] == "running"] == [7]
    assert timed(harness, "status", "results")[0] == 0


OWNERS = [
    {"pid": -1},
    {"pid": 0},
    {"pid": 10**30},
    {"pid": 2**31},
    {"pid": "1e400"},
    {"started": 1e300},
    {"started": "nan"},
    {"token": ""},
    {"pid": [1]},
]


@pytest.mark.parametrize("change", [*OWNERS, *THINGS, *JSON], ids=lambda it: brief(str(it)))
def test_fault_m_a_claim_that_is_none(harness: Command, folders: list[RunFolder], change: object) -> None:
    folders[0].set_state("running", step=7)
    claim = folders[0].path / "claim"
    if isinstance(change, dict):
        owner = {"host": socket.gethostname(), "pid": 1, "started": 0.0, "token": "a token"}
        claim.write_text(json.dumps(owner | change))
    else:
        replace(claim, str(change))
    code, output, errors = timed(harness, "status", "results")
    assert errors == ""
    assert "8 runs: 7 finished, 1 interrupted" in output.splitlines()[-1]
    assert code == (1 if "skipped: " in output else 0)
    if change == "folder":
        errors = timed(harness, "run", "small.yaml")[2]
        assert errors == f"error: {claim}: is a folder, where a claim should be: remove it\n"
        return
    signal.alarm(SECONDS)
    with folders[0].claim():  # taken over, whatever it was
        assert folders[0].state() == "running"
    assert not os.path.lexists(claim)


def test_fault_m_a_claim_that_may_not_be_read_is_not_taken_over(harness: Command, folders: list[RunFolder]) -> None:
    from support.leftovers import as_everybody

    folders[0].set_state("running", step=7)
    claim = folders[0].path / "claim"
    claim.touch(mode=0)
    with as_everybody():
        code, output, _ = timed(harness, "status", "results")
        assert (code, f"skipped: {claim}: may not be read (Permission denied)" in output) == (1, True)
        assert timed(harness, "run", "small.yaml")[2] == f"error: {claim}: may not be read (Permission denied)\n"
    assert claim.exists()


def test_fault_m_other_things_in_folders_do_no_harm(harness: Command, folders: list[RunFolder]) -> None:
    place = folders[0].path
    for i, what in enumerate(("fifo", "socket", "endless device", "link that leads nowhere", "link to itself")):
        replace(place / f"thing-{i}", what)
        replace(RESULTS / f"thing-{i}", what)
    replace(folders[0].error_log, "fifo")
    (RESULTS / "loop").symlink_to("..")
    Path(os.fsdecode(b"results/small/\xff\xfe")).mkdir()
    Path("results/small/\x1b[2J").mkdir()
    shutil.copy(folders[0].record_file, "results/small/\x1b[2J/run.json")
    code, output, errors = timed(harness, "status", "results")
    assert (code, errors) == (1, "")
    assert output.splitlines()[-1] == "8 runs: 8 finished; 3 things could not be read"
    assert "\x1b" not in output
    code, output, errors = timed(harness, "run", "small.yaml", "--no-report")
    assert (code, errors) == (0, "")
    assert "nothing to do: 8 runs finished" in output


@pytest.mark.parametrize("steps", ["1" + "0" * 30, "1e30", "9" * 4000, "-5", "0", "nan", "inf", "1e-3"], ids=brief)
def test_fault_m_counts_beyond_all_bounds_are_refused_in_one_sentence(harness: Command, workplace: Path, steps: str) -> None:
    for command in (["run", "small.yaml", "--steps", steps], ["check", "small.yaml"]):
        if command[0] == "check":
            text = Path("small.yaml").read_text()
            Path("small.yaml").write_text(text.replace("steps: 256", f"steps: {steps}"))
        code, output, errors = harness(*command)
        assert (code, output) == (2, "")
        assert len(errors.splitlines()) == 1 and ("steps" in errors or "number of more than 300 digits" in errors)
    assert not RESULTS.exists()


def test_fault_m_a_snapshot_that_is_none_is_named(harness: Command, folders: list[RunFolder]) -> None:
    spec = next(spec for spec in load("small.yaml").runs if spec.method == "rnd")
    file = RunFolder.of(spec, RESULTS).record_file
    text = Path("small.yaml").read_text().replace("reward: rnd,", f"reward: rnd, snapshot: {file.parent},", 1)
    Path("begins.yaml").write_text(text.replace("suite: small", "suite: begins"))
    for what in THINGS:
        if file.is_dir() and not file.is_symlink():
            file.rmdir()
        replace(file, what)
        code, output, errors = timed(harness, "run", "begins.yaml", "--task", "n4")
        assert (code, output) == (2, ""), what
        assert str(file) in errors
