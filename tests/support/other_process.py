"""Another process at some runs: ``python -m support.other_process TRAIN RESULTS WORKERS MANNERS`` reads the runs as JSON.

It prints its events, one a line, and at last how the runs ended; with the manners ``saves`` it treats signals as the command
line does, otherwise as Python does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from harness.cli.signals import stop_on_signals
from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from harness.execution.stopping import StopRequest
from harness.spec import RunSpec
from support.fake_training import TRAIN

TESTS = Path(__file__).parents[1]


@contextmanager
def other_process(
    specs: Sequence[RunSpec], results: Path, *, workers: int = 2, train: str = TRAIN, saves: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """A process that is at some runs, in a group of its own; it is killed at the end of the block.

    Args:
        specs: Specifications of the runs.
        results: Where the runs leave their folders.
        workers: Number of worker processes.
        train: Import path of the function that trains a run; beside what ``PYTHONPATH`` names, ``tests`` is looked into.
        saves: Whether a signal lets runs save and stop, and the second one stops at once.
    """
    paths = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(TESTS)]))
    arguments = [train, str(results), str(workers), "saves" if saves else "none"]
    process = subprocess.Popen(
        [sys.executable, "-m", "support.other_process", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps([spec.model_dump(mode="json") for spec in specs]))
        process.stdin.close()
        yield process
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def lines_until(process: subprocess.Popen[str], *wanted: str) -> list[str]:
    """What it prints up to the line with which a line has begun with each of the words wanted."""
    found: list[str] = []
    while not all(any(line.startswith(word) for line in found) for word in wanted):
        found.append(_line(process.stdout))
        assert found[-1], found
    return found


def until_all_are_under_way(process: subprocess.Popen[str], specs: Sequence[RunSpec]) -> None:
    """Read what it prints until every run has made progress."""
    missing = {f" seed={spec.seed}," for spec in specs}
    while missing:
        (*_, line) = lines_until(process, "RunProgressed")
        missing -= {seed for seed in missing if seed in line}


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().rstrip("\n")


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    train, results, workers, manners = sys.argv[1:]
    specs, stop = [RunSpec.model_validate(spec) for spec in json.load(sys.stdin)], StopRequest()
    options = ExecutionOptions(Path(results), int(workers), stop=stop)
    with stop_on_signals(stop, lambda: True) if manners == "saves" else nullcontext():
        try:
            outcomes = LocalExecutor(train).execute(specs, options, _say)
        except KeyboardInterrupt:
            _say("at once")
            sys.exit(130)
    _say(" ".join(outcome.ending for outcome in outcomes))


if __name__ == "__main__":
    main()
