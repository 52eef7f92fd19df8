"""An active trial: its runs one after another, and the scores reported to the pruner."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.runs.folder import RunFolder
from harness.spec import RunSpec
from harness.tuning.optuna_internals import reported_values, trial_number
from harness.tuning.pruners import reports_runs
from harness.tuning.scores import aggregate, evaluations, is_finished, last_score, normalised_score, own_steps
from harness.tuning.study import ClaimedTrial, TuningStudy


class ActiveTrial:
    """A trial that this process is running.

    What is reported depends on the trial's runs alone, never on when this process looked at them: each evaluation once, in
    order, and nothing after the one at which the pruner said stop.

    Args:
        study: The study to which it belongs.
        claimed: The trial and its values.
        specs: Its runs, in order.
        results: The results directory.
    """

    def __init__(self, study: TuningStudy, claimed: ClaimedTrial, specs: Sequence[RunSpec], results: Path) -> None:
        self.claimed, self.specs = claimed, specs
        self.score: float | None = None
        self.pruned = False
        self._study, self._results = study, results
        self._options = study.definition.options
        self._reported_values = dict(reported_values(claimed.trial))
        self._finished_runs = 0  # finished runs, those that only pre-train included
        self._scores: list[tuple[str, float]] = []
        self._seconds: list[float] = []
        self._reported_count = 0  # evaluations of the current run
        self._steps = 0  # of the current run, so far

    @property
    def number(self) -> int:
        """The trial's number in its study."""
        return trial_number(self.claimed.trial)

    @property
    def spec(self) -> RunSpec | None:
        """The run that is next or under way; ``None`` when all are finished."""
        return self.specs[self._finished_runs] if self._finished_runs < len(self.specs) else None

    @property
    def fraction_done(self) -> float:
        """How much of the trial is done."""
        return (self._steps + sum(map(own_steps, self.specs[: self._finished_runs]))) / sum(map(own_steps, self.specs))

    def collect_finished_runs(self) -> None:
        """Collect the scores of runs that are already finished."""
        while not self.pruned and self.spec is not None and is_finished(self.spec, self._results):
            self.finish_run()

    def report_evaluations(self, step: int = 0) -> None:
        """Report the evaluations of the current run that are new since the last call."""
        assert self.spec is not None
        spec, index = self.spec, self._finished_runs
        self._steps = max(self._steps, step - spec.first_step)
        if spec.pretraining:
            return  # it has no score
        found = evaluations(RunFolder.of(spec, self._results), spec.evaluation.episodes)
        for at, score in found[self._reported_count :]:
            if at >= spec.steps or self.pruned:
                break  # the last one counts when the run is finished
            self._reported_count += 1
            self.score = aggregate([*self._scores, (spec.task, normalised_score(spec, score))], self._options.metric)
            if not reports_runs(self._options.pruner):
                self._report(self.score, self._study.evaluation_order.position(index, at))

    def finish_run(self) -> None:
        """Collect the score of the current run, which is finished."""
        assert self.spec is not None
        self.report_evaluations()
        if self.pruned:
            return
        spec, index = self.spec, self._finished_runs
        folder = RunFolder.of(spec, self._results)
        self._finished_runs += 1
        self._seconds.append(folder.read(spec).status.seconds)
        self._reported_count = self._steps = 0
        if spec.pretraining:
            return
        score = normalised_score(spec, last_score(folder, spec.evaluation.episodes))
        self._scores.append((spec.task, score))
        self.score = aggregate(self._scores, self._options.metric)
        if reports_runs(self._options.pruner):
            self._report(score, index)
        else:
            self._report(self.score, self._study.evaluation_order.position(index, spec.steps))

    @property
    def values(self) -> list[float]:
        """The value of each objective, when all runs are finished."""
        assert self.score is not None
        found = {"score": self.score, "seconds": sum(self._seconds) / len(self._scores)}
        return [found[objective] for objective in self._options.objectives]

    def attributes(self) -> dict[str, Any]:
        """What is kept with the trial when it has ended."""
        done = sum(map(own_steps, self.specs[: self._finished_runs])) + self._steps
        return {"runs": self._finished_runs, "steps": done, "seconds": round(sum(self._seconds), 3)}

    def _report(self, value: float, position: int) -> None:
        if self._study.multi_objective or not math.isfinite(value):  # Optuna reports and prunes for a single objective
            return
        trial, outages = self.claimed.trial, self._study.outages
        if position not in self._reported_values:
            outages.wait_out(lambda: trial.report(value, position))
            self._reported_values[position] = value
        if self._finished_runs < len(self.specs):
            with warnings.catch_warnings():  # a test of differences that are all zero, and the like
                warnings.simplefilter("ignore")
                self.pruned = outages.wait_out(trial.should_prune)
