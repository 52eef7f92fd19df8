"""Measures how fast the methods of suites train on this machine and records it in ``speeds.csv`` beside them.

    python benchmarks/suite_speeds.py suites/quick.yaml --machine "one core, AMD EPYC"
    python benchmarks/suite_speeds.py suites/atari_hard.yaml --profile paper --device cuda --machine "one H100, 16 cores"
    python benchmarks/suite_speeds.py suites/*.yaml --profile smoke --missing --machine "one core, AMD EPYC"

``harness list suites`` reads that table. Each method is timed once on each family of environments, in the first of its
tasks, and what a suite sets for single tasks (an eta, say) is taken to change nothing. It is timed with all its
environments: a rollout with its update to warm up, then as many as make up at least ``--steps`` steps. Longer rollouts
are cut to that, with as many fewer minibatches and none larger than the rollout, and off-policy methods learn from the
first step. Where a trial with an eighth of the steps forecasts more than ``--seconds`` for a method, it is timed with
as many steps as fit, or the trial counts. ``--missing`` times only what the table does not have. On a processor the
seconds are processor time; give it one thread (``OMP_NUM_THREADS=1``), so that they are seconds of one core. Other work
may double them: say in ``--machine`` if there was any.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.planning.load import load
from harness.registry import installed
from harness.runs.files import csv_text, read_csv_rows, write_text_atomic
from harness.runs.speeds import SPEED_COLUMNS, SPEEDS_FILE, settings_digest
from harness.spec import RunSpec
from harness.training.assembly import assemble
from harness.training.devices import choose_device

TRIAL_SHARE = 8
"""A trial has the steps of a measurement divided by this."""


def with_short_rollouts(spec: RunSpec, steps: int) -> RunSpec:
    """The same run with rollouts of about ``steps`` steps at most; the work per step stays the same."""
    known = installed()
    config: Any = known.config_class(known.algorithm(spec.algorithm.name)).model_validate(spec.algorithm.config)
    algorithm = spec.algorithm.model_copy(
        update={"config": spec.algorithm.config | config.probe_settings(config.n_envs, steps)}
    )
    changes: dict[str, object] = {"algorithm": algorithm}
    minibatches = spec.reward.config.get("minibatches") if spec.reward else None
    if spec.reward and isinstance(minibatches, int) and "n_steps" in algorithm.config:
        fewer = {"minibatches": max(1, minibatches * algorithm.config["n_steps"] // config.n_steps)}  # type: ignore[operator]
        changes["reward"] = spec.reward.model_copy(update={"config": spec.reward.config | fewer})
    return spec.model_copy(update=changes)


def speed(spec: RunSpec, device: str, steps: int, seconds: float) -> float:
    """Steps per second of rollouts and updates, from as many steps as the given seconds allow, and ``steps`` at most."""
    few = max(1, steps // TRIAL_SHARE)
    found = timed(spec, device, few)
    affordable = int(found * seconds / 2)  # one half warms up
    return timed(spec, device, min(steps, affordable)) if affordable > 2 * few else found


def timed(spec: RunSpec, device: str, steps: int) -> float:
    """Steps per second of rollouts and updates, from at least ``steps`` steps."""
    chosen = choose_device(device)
    clock = time.process_time if chosen.type == "cpu" else time.perf_counter
    parts = assemble(with_short_rollouts(spec, steps), chosen, installed())
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


def methods_of(file: Path, profile: str | None) -> dict[tuple[str, str], dict[str, RunSpec]]:
    """A run for each of the settings that a method has on a family, by family and method, and by their digests."""
    found: dict[tuple[str, str], dict[str, RunSpec]] = {}
    for spec in load(file, profile=profile).runs:
        found.setdefault((spec.environment.family, spec.method), {}).setdefault(settings_digest(spec), spec)
    return found


def measure(file: Path, arguments: argparse.Namespace) -> None:
    """Time every method of a suite, and replace the rows of the same settings in the table beside it."""
    table = file.parent / SPEEDS_FILE
    for _, specs in sorted(methods_of(file, arguments.profile).items()):
        rows = {row["settings"]: row for row in read_csv_rows(table)[1]}
        known = [rows[digest] for digest in specs if digest in rows] if arguments.missing else []
        if len(known) == len(specs):
            continue
        spec = next(iter(specs.values()))
        if known:
            found = {name: known[0][name] for name in ("steps_per_second", "machine", "date")}
        else:
            measured = speed(spec, arguments.device, arguments.steps, arguments.seconds)
            today = datetime.now(UTC).date().isoformat()
            found = {"steps_per_second": f"{measured:.4g}", "machine": arguments.machine, "date": today}
        names = {"suite": spec.suite, "profile": arguments.profile or "", "family": spec.environment.family}
        same = {"method": spec.method, **names, **found}
        new = {digest: {"settings": digest, **same} for digest in specs if not (known and digest in rows)}
        lines = sorted([row[name] for name in SPEED_COLUMNS] for row in (rows | new).values())
        write_text_atomic(table, csv_text([SPEED_COLUMNS, *lines]))
        print(f"{' '.join(names.values())} {spec.method}: {found['steps_per_second']} steps/s", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="+", type=Path)
    parser.add_argument("--profile", help="scale of the suites")
    parser.add_argument("--machine", required=True, help="in words, as 'harness list suites' will show it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=2048, help="least number that is timed")
    parser.add_argument("--seconds", type=float, default=60.0, help="about how many a method may take, a trial aside")
    parser.add_argument("--missing", action="store_true", help="only what the table does not have")
    arguments = parser.parse_args()
    for file in arguments.suites:
        measure(file, arguments)


if __name__ == "__main__":
    main()
