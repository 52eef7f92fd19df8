"""A process that joins a study: ``python -m support.joined_tuning FOLDER STORAGE TRIALS WORKERS GRACE [NAME=VALUE ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.tuning.study import Limit
from harness.tuning.tuner import Budget, tune
from support.tuning import SuiteFolder


def print_event(event) -> None:
    sys.stdout.write(f"{event}\n")
    sys.stdout.flush()


def main() -> None:
    folder, storage, trials, workers, grace, *overrides = sys.argv[1:]
    place = SuiteFolder(Path(folder))
    study = place.study(*overrides, storage=storage or None, grace_seconds=int(grace))
    budget = Budget(Limit(int(trials)))
    tune(study, place.results, place.processes(), budget=budget, workers=int(workers), on_event=print_event)


if __name__ == "__main__":
    main()
