"""Measures how fast the methods of suites train on this machine and records it in ``speeds.csv`` beside them.

    python benchmarks/suite_speeds.py suites/quick.yaml --machine "one core, AMD EPYC"
    python benchmarks/suite_speeds.py suites/atari_hard.yaml --profile paper --device cuda --machine "one H100, 16 cores"

``harness list suites`` reads that table. Each method is timed once on each family of environments, at its full size: a rollout
with its update to warm up, then as many as make up at least ``--steps`` steps. On a processor the seconds are processor time,
which other work changes little; give it one thread (``OMP_NUM_THREADS=1``), so that they are seconds of one core.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from harness.files import csv_text, read_csv_rows, write_text_atomic
from harness.plan import expand
from harness.registry import registry
from harness.spec import RunSpec
from harness.suite import load_suite
from harness.suite_costs import COLUMNS, SPEEDS, settings_digest
from harness.training.assembly import assemble, choose_device


def speed(spec: RunSpec, device: str, steps: int) -> float:
    """Steps per second of rollouts and updates."""
    chosen = choose_device(device)
    clock = time.process_time if chosen.type == "cpu" else time.perf_counter
    parts = assemble(spec, chosen, registry())
    try:
        learner = parts.learner
        learner.begin(spec.steps)
        learner.iterate()  # the first pays for allocation
        before, start = learner.step, clock()
        while learner.step < before + steps:
            learner.iterate()
        return (learner.step - before) / (clock() - start)
    finally:
        parts.close()


def measure(file: Path, arguments: argparse.Namespace) -> None:
    """Time every method of a suite, and replace the rows of the same settings in the table beside it."""
    table, profile = file.parent / SPEEDS, arguments.profile or ""
    specs = {settings_digest(spec): spec for spec in reversed(expand(load_suite(file, profile=arguments.profile)))}
    for digest, spec in sorted(specs.items(), key=lambda item: item[1].method):
        measured = f"{speed(spec, arguments.device, arguments.steps):.4g}"
        facts = (spec.suite, profile, spec.environment.family, spec.method, digest, measured, arguments.machine)
        row = dict(zip(COLUMNS, (*facts, datetime.now(UTC).date().isoformat()), strict=True))
        rows = [row, *(other for other in read_csv_rows(table)[1] if other["settings"] != digest)]
        lines = sorted([one[name] for name in COLUMNS] for one in rows)
        write_text_atomic(table, csv_text([COLUMNS, *lines]))
        print(f"{spec.suite} {profile} {spec.method}: {measured} steps/s")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="+", type=Path)
    parser.add_argument("--profile", help="scale of the suites")
    parser.add_argument("--machine", required=True, help="in words, as 'harness list suites' will show it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=4096, help="least number that is timed")
    arguments = parser.parse_args()
    for file in arguments.suites:
        measure(file, arguments)


if __name__ == "__main__":
    main()
