"""Progress on a terminal and in a pipe."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli.display.progress import _LineReporter, draw, progress_view
from harness.cli.display.progress_state import SuiteProgress
from harness.execution.events import Outcome, RunEnded, RunProgressed, RunStarted
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.runs.status import RunSummary
from harness.spec import AlgorithmSpec, EnvironmentSpec, EvaluationSpec, RunSpec


def summaries(number: int) -> list[RunSummary]:
    specs = [
        RunSpec(
            suite="atari_hard",
            task="montezuma_revenge",
            method="snd_vic",
            seed=seed,
            environment=EnvironmentSpec(family="e", config={}),
            algorithm=AlgorithmSpec(name="a", config={}),
            reward=None,
            steps=32_000_000,
            evaluation=EvaluationSpec(every=100),
            checkpoint_every=100,
        )
        for seed in range(number)
    ]
    return [RunSummary(spec, RunFolder(Path("nowhere")), "missing") for spec in specs]


def terminal(width: int = 80, height: int = 24, **kwargs) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, **kwargs)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("running", [1, 40])
def test_progress_fits_into_80_columns_and_the_screen_and_shows_everything(running):
    runs = summaries(running + 2)
    suite_progress = SuiteProgress(runs)
    for run in runs[:running]:
        suite_progress.update(RunStarted(run.spec))
        suite_progress.update(RunProgressed(run.spec, RunProgress(16_000_000, 32_000_000, 1234.0, 4753.3)))
    console = terminal(color_system=None)
    console.print(draw(suite_progress, height=24))
    lines = text_of(console).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    for shown in ("montezuma_revenge/snd_v", "50%", "1,234", "3 h 36 min", "4,753.3", "2 waiting"):
        assert shown in text_of(console)


def run_through(console: Console) -> None:
    (run,) = summaries(1)
    with progress_view(console, SuiteProgress([run])) as on_event:
        on_event(RunStarted(run.spec))
        on_event(RunProgressed(run.spec, RunProgress(1, 32_000_000, 1234.0, 12.5)))
        on_event(RunEnded(Outcome(run.spec, "finished")))


def test_pipe_gets_plain_lines():
    console = Console(file=io.StringIO(), width=1000)
    run_through(console)
    text = text_of(console)
    assert "\x1b" not in text
    assert [line.split()[1] for line in text.splitlines()] == ["started", "finished", "1"]
    assert "score 12.50" in text


def test_terminal_is_restored_and_keeps_the_endings():
    console = terminal()
    run_through(console)
    assert "finished  montezuma_revenge/snd_vic/seed-0" in text_of(console)
    assert text_of(console).rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in text_of(console)


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    run_through(console)
    assert "\x1b[32m" not in text_of(console)


def test_plain_lines_are_neither_many_nor_rare():
    now = 0.0
    (run,) = summaries(1)
    console = Console(file=io.StringIO(), width=1000)
    reporter = _LineReporter(console, SuiteProgress([run]), clock=lambda: now)
    reporter(RunStarted(run.spec))
    for second in range(3600):  # an hour of a run that takes two
        now = float(second)
        reporter(RunProgressed(run.spec, RunProgress(32_000_000 * second // 7200, 32_000_000, 4444.0)))
    told = text_of(console).count("running")
    assert told == 49  # each further 1 %, since 10 % would take 12 minutes and 30 seconds are less than 1 %

    now, told_before = 10_000.0, told
    for step in range(100):  # and then in no time to its end
        now += 0.01
        reporter(RunProgressed(run.spec, RunProgress(16_000_000 + 160_000 * step, 32_000_000, 4444.0)))
    assert text_of(console).count("running") - told_before <= 1


def test_the_phase_is_told_on_a_terminal_and_in_a_pipe():
    (run,) = summaries(1)
    suite_progress, console = SuiteProgress([run]), Console(file=io.StringIO(), width=1000)
    now = 0.0
    reporter = _LineReporter(console, suite_progress, clock=lambda: now)
    reporter(RunStarted(run.spec))
    for now in (0.0, 100.0):
        reporter(RunProgressed(run.spec, RunProgress(int(now) * 160_000, 32_000_000, 4444.0, phase="pretrain")))
    assert "phase pretrain" in text_of(console)
    screen = terminal(width=200)
    screen.print(draw(suite_progress, 24))
    assert "montezuma_revenge/snd_vic/seed-0 (pretrain)" in text_of(screen)


def test_a_replay_is_told_on_a_terminal_and_in_a_pipe_with_the_time_left():
    (run,) = summaries(1)
    suite_progress, console = SuiteProgress([run]), Console(file=io.StringIO(), width=1000)
    now = 0.0
    reporter = _LineReporter(console, suite_progress, clock=lambda: now)
    reporter(RunStarted(run.spec))
    for now in (0.0, 10.0, 11.0, 60.0):
        replay = RunProgress(16_000_000, 32_000_000, 0.0, 7.0, replayed=now / 100, replay_seconds_left=100 - now)
        reporter(RunProgressed(run.spec, replay))
    assert text_of(console).count("replaying the actions before its checkpoint") == 2
    assert "10%, 1 min 30 s left" in text_of(console)
    screen = terminal(width=200)
    screen.print(draw(suite_progress, 24))
    assert "montezuma_revenge/snd_vic/seed-0 (replaying)" in text_of(screen)
    assert "60%" in text_of(screen) and "40 s" in text_of(screen)
    reporter(RunProgressed(run.spec, RunProgress(16_000_128, 32_000_000, 4444.0)))
    assert suite_progress.running[run.spec.path].seconds_left is not None
