"""Another process at the runs of a plan: ``python -m support.other_process RESULTS FAMILY SEEDS STEPS``."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.execution.executor import ExecutionOptions
from harness.execution.local import LocalExecutor
from support.fake_training import TRAIN, run_spec


def main() -> None:
    results, family, seeds, steps = sys.argv[1:]
    specs = [run_spec(family, seed, int(steps)) for seed in range(int(seeds))]
    LocalExecutor(TRAIN).execute(specs, ExecutionOptions(Path(results), len(specs)), _show)


def _show(event: object) -> None:
    sys.stdout.write(f"{event}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
