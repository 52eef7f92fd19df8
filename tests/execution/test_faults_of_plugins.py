"""Faults k and p of plugins: what a run does to its process stays with that run, and what it says is bounded."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from support.fake_training import TRAIN, Misbehaviour, run_spec, seen

from harness.errors import printable
from harness.execution.events import Outcome
from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from harness.execution.log_tail import TAIL_BYTES, LogTail
from harness.runs.folder import RunFolder
from harness.spec import RunSpec

TESTS = Path(__file__).parents[1]
CHANGES = [name for name in vars(Misbehaviour) if name.startswith(("changes", "handles", "closes"))]
HARMLESS = ["reads_input", "writes_messages", "starts_processes"]


@pytest.fixture(autouse=True)
def _workers_find_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.chdir(tmp_path)


def execute(specs: list[RunSpec], workers: int = 1, stall: float | None = None) -> list[Outcome]:
    options = ExecutionOptions(Path("results"), workers, stall=stall)
    return LocalExecutor(TRAIN).execute(specs, options, lambda event: None)


def test_fault_p_what_a_run_changes_of_its_process_the_next_run_does_not_see():
    first = run_spec("nothing")
    specs = [
        first,
        *(spec for seed, name in enumerate(CHANGES) for spec in (run_spec(name, seed, 1), run_spec("nothing", seed + 1, 1))),
    ]
    outcomes = execute(specs)
    assert {outcome.error for outcome in outcomes} == {""}
    clean = seen(first, Path("results"))
    for before, spec in zip(specs[1::2], specs[2::2], strict=True):
        found = seen(spec, Path("results"))
        assert {**found, "pid": 0} == {**clean, "pid": 0}, before.method
    assert not Path("/results").exists()


def test_fault_p_a_run_that_changes_nothing_keeps_its_process():
    specs = [run_spec(name, seed, 1) for seed, name in enumerate(["nothing", *HARMLESS, "nothing"])]
    outcomes = execute(specs)
    assert {outcome.error for outcome in outcomes} == {""}
    assert len({seen(spec, Path("results"))["pid"] for spec in specs}) == 1


def test_fault_p_what_a_plugin_says_is_bounded_and_printable_wherever_it_is_kept():
    specs = [run_spec("says_much"), run_spec("cannot_say")]
    loud, mute = execute(specs)
    assert mute.error == "Mute: its message cannot be made"
    assert loud.error.startswith(r"ValueError: \x1b[31m\x00mmm")
    folder = RunFolder.of(loud.spec, Path("results"))
    for text in (loud.error, folder.read().status.error or "", folder.read().status.history[-1].error or ""):
        assert len(text) <= 2000
        assert text.isprintable()
    assert folder.record_file.stat().st_size < 20_000
    log = folder.error_log.read_text()
    assert len(log) <= 128 * 1024
    assert all(one.isprintable() or one in "\n\t" for one in log)
    assert "in says_much" in log


def test_fault_k_what_a_run_prints_is_bounded_and_its_tail_is_in_the_log():
    spec = run_spec("prints_much")
    (outcome,) = execute([spec])
    assert outcome.error == "ZeroDivisionError: after much"
    assert "ZeroDivisionError" in RunFolder.of(spec, Path("results")).error_log.read_text()
    files = [file for process in (psutil.Process(), *psutil.Process().children()) for file in process.open_files()]
    assert not [file for file in files if "deleted" in file.path]


def test_fault_k_the_log_keeps_the_end_of_what_was_written_since_it_was_begun():
    reading, writing = os.pipe()
    log = LogTail(reading)
    os.write(writing, b"of the run before")
    log.begin()
    for number in range(3000):
        os.write(writing, b"%99d\n" % number)
    os.close(writing)
    text = log.text(10)
    assert text.endswith(f"{2999:99d}\n")
    assert len(text) == TAIL_BYTES
    reading, writing = os.pipe()
    short = LogTail(reading)
    os.write(writing, b"of the run before")
    short.begin()
    os.write(writing, b"of this run")
    os.close(writing)
    assert short.text(10) == "of this run"


def test_stall_ends_a_run_that_hangs_names_it_and_holds_nothing_up():
    specs = [run_spec("sleeps_for_ever"), *(run_spec("nothing", seed, 5) for seed in range(3))]
    began = time.monotonic()
    outcomes = execute(specs, workers=2, stall=4)
    assert time.monotonic() - began < 60
    assert [outcome.ending for outcome in outcomes] == ["failed", "finished", "finished", "finished"]
    assert outcomes[0].error.startswith("made no progress for 4 seconds, the suite's 'stall', and was stopped")
    folder = RunFolder.of(specs[0], Path("results"))
    assert folder.state() == "failed"
    assert "sleeps_for_ever" in folder.error_log.read_text()  # where it was


def test_stall_leaves_runs_alone_that_go_on():
    spec = run_spec("nothing", 0, 300)  # 6 seconds
    (outcome,) = execute([spec], stall=4)
    assert outcome.ending == "finished"


@pytest.mark.parametrize(
    "text", ["", "plain", "ä 中", "\x00\x1b[2J", "\u202e\ud800", "x" * 10**6, "\n" * 10**6, "\x1b" * 10**6]
)
def test_fault_p_any_text_becomes_printable_and_short(text: str):
    short = printable(text)
    assert short.isprintable()
    assert len(short) <= 500
    short.encode()
    if text.isprintable() and len(text) < 500:
        assert short == text
