"""A trial under way: its runs one after another, and what is reported of each."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.run_folder import RunFolder
from harness.spec import RunSpec
from harness.tuning.pruners import reports_runs
from harness.tuning.scores import aggregate, evaluations, normalised, steps_of
from harness.tuning.study import Asked, TuningStudy


class Work:
    """One trial in this process.

    What is reported depends on the trial's runs alone, never on when this process looked at them: each evaluation once, in
    order, and nothing after the one at which the pruner said stop.

    Args:
        study: To which it belongs.
        asked: The trial.
        specs: Its runs, in order.
        results: The results directory.
    """

    def __init__(self, study: TuningStudy, asked: Asked, specs: Sequence[RunSpec], results: Path) -> None:
        self.asked, self.specs = asked, specs
        self.score: float | None = None
        self.pruned = False
        self._study, self._results = study, results
        self._options = study.problem.options
        self._known = dict(asked.trial._cached_frozen_trial.intermediate_values)
        self._done = 0  # finished runs, those that only pre-train included
        self._scores: list[tuple[str, float]] = []
        self._seconds: list[float] = []
        self._seen = 0  # evaluations of the current run
        self._steps = 0  # of the current run, so far

    @property
    def number(self) -> int:
        """Of the trial."""
        return self.asked.trial.number

    @property
    def spec(self) -> RunSpec | None:
        """The run that is next or under way; ``None`` when all are finished."""
        return self.specs[self._done] if self._done < len(self.specs) else None

    @property
    def share(self) -> float:
        """How much of the trial is done."""
        return (self._steps + sum(map(steps_of, self.specs[: self._done]))) / sum(map(steps_of, self.specs))

    def catch_up(self) -> None:
        """Take in every run that is finished already."""
        while not self.pruned and self.spec is not None and _finished(RunFolder.of(self.spec, self._results)):
            self.finish_run()

    def look(self, step: int = 0) -> None:
        """Report what the current run has evaluated since the last look."""
        assert self.spec is not None
        spec, index = self.spec, self._done
        self._steps = max(self._steps, step - spec.first_step)
        if spec.pretraining:
            return  # it has no score
        found = evaluations(RunFolder.of(spec, self._results), spec.evaluation.episodes)
        for at, score in found[self._seen :]:
            if at >= spec.steps or self.pruned:
                break  # the last one counts when the run is finished
            self._seen += 1
            self.score = aggregate([*self._scores, (spec.task, normalised(spec, score))], self._options.metric)
            if not reports_runs(self._options.pruner):
                self._report(self.score, self._study.positions.of(index, at))

    def finish_run(self) -> None:
        """The current run is finished: its score counts."""
        assert self.spec is not None
        self.look()
        if self.pruned:
            return
        spec, index = self.spec, self._done
        folder = RunFolder.of(spec, self._results)
        self._done += 1
        self._seconds.append(folder.read().status.seconds)
        self._seen = self._steps = 0
        if spec.pretraining:
            return
        score = normalised(spec, evaluations(folder, spec.evaluation.episodes)[-1][1])
        self._scores.append((spec.task, score))
        self.score = aggregate(self._scores, self._options.metric)
        if reports_runs(self._options.pruner):
            self._report(score, index)
        else:
            self._report(self.score, self._study.positions.of(index, spec.steps))

    @property
    def values(self) -> list[float]:
        """Of each objective, when all runs are finished."""
        assert self.score is not None
        found = {"score": self.score, "seconds": sum(self._seconds) / len(self._scores)}
        return [found[objective] for objective in self._options.objectives]

    def facts(self) -> dict[str, Any]:
        """What is kept with the trial when it has ended."""
        done = sum(map(steps_of, self.specs[: self._done])) + self._steps
        return {"runs": self._done, "steps": done, "seconds": round(sum(self._seconds), 3)}

    def _report(self, value: float, position: int) -> None:
        if self._study.multi_objective or not math.isfinite(value):  # Optuna reports and prunes for a single objective
            return
        trial = self.asked.trial
        if position not in self._known:
            trial.report(value, position)
            self._known[position] = value
        if self._done < len(self.specs):
            with warnings.catch_warnings():  # a test of differences that are all zero, and the like
                warnings.simplefilter("ignore")
                self.pruned = trial.should_prune()


def _finished(folder: RunFolder) -> bool:
    return folder.spec_file.exists() and folder.state() == "finished"
