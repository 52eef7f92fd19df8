"""What a study is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError, shorten, suggest
from harness.planning.plan import Plan
from harness.tuning.best import BEST_FILE
from harness.tuning.outages import OUTAGE_SECONDS
from harness.tuning.study import Limit
from harness.tuning.trials import study_folder
from harness.tuning.tuner import Budget

_STUDY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class TuneRequest:
    """What a study is asked for.

    Attributes:
        plan: The plan of the suite; its ``tune`` block holds the options of the study.
        method: Name of the method whose settings are searched.
        study: Name of the study.
        storage: The storage as the user gave it, which may hold a password; ``None`` for a journal in the study's folder.
        results: The results directory.
        out: The file for the settings found; ``None`` for one in the study's folder.
        executor: Name of the executor.
        workers: Number of trials at a time; ``None`` for as many as the executor thinks right.
        device: ``auto``, ``cpu`` or ``cuda``.
        budget: When to stop.
        wait: Whether trials and runs that other processes have are waited for, and taken over if their owners die.
        outage_seconds: Longest time, in seconds, for which an outage of the storage is waited out.
    """

    plan: Plan
    method: str
    study: str
    storage: str | None
    results: Path
    out: Path | None
    executor: str
    workers: int | None
    device: str
    budget: Budget
    wait: bool = True
    outage_seconds: float = OUTAGE_SECONDS

    @classmethod
    def create(
        cls,
        plan: Plan,
        method: str | None,
        results: Path,
        *,
        study: str | None = None,
        storage: str | None = None,
        out: Path | None = None,
        executor: str = "local",
        workers: int | None = None,
        device: str = "auto",
        trials: int | None = None,
        max_steps: int | None = None,
        seconds: float | None = None,
        wait: bool = True,
        outage_seconds: float = OUTAGE_SECONDS,
    ) -> TuneRequest:
        """The request with what follows from the plan; see `harness.experiment.tune` for the arguments.

        Raises:
            UserError: The plan has no such method, or the study's name cannot name a folder.
        """
        known = plan.suite.methods
        if method is None and len(known) > 1:
            raise UserError(f"the plan has several methods, {', '.join(known)}: say which of them to tune")
        method = method or next(iter(known))
        if method not in known:
            raise UserError(f"the plan has no method {method!r}{suggest(method, known)}")
        name = study or "-".join(part for part in (plan.suite.suite, method, plan.profile) if part)
        if not _STUDY_NAME.fullmatch(name):
            raise UserError(f"study {shorten(name)!r} cannot name a folder: use letters, digits, '_', '-' and '.'")
        if trials is None and max_steps is None and seconds is None:
            trials = plan.suite.tune.trials
        budget = Budget(Limit(trials, max_steps), seconds)
        return cls(plan, method, name, storage, results, out, executor, workers, device, budget, wait, outage_seconds)

    @property
    def folder(self) -> Path:
        """The folder of the study, with everything that it leaves."""
        return study_folder(self.results, self.plan.suite.suite, self.study)

    @property
    def settings_file(self) -> Path:
        """The file that the settings found are written to."""
        return self.out or self.folder / BEST_FILE
