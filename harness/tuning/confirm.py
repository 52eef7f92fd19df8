"""The best trials again, on fresh seeds: the highest of many scores is too high, and this shows by how much.

Fresh seeds judge, and do not choose: the best of several on fresh seeds, judged on the same ones, looks better than it is.
Trials are judged in the order of their tuned scores, which know nothing of the fresh seeds, and each only if all before it
helped. A false alarm is then as rare with many candidates as with one: the first test must fail for any (a fixed sequence of
tests, Maurer et al. 1995). `benchmarks/tuning_verdicts.py` measures it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from harness.analysis import statistics
from harness.analysis.significance import SIGNIFICANCE_LEVEL, rank_sum
from harness.analysis.statistics import IntervalEstimate
from harness.errors import ResultsError
from harness.runs.folder import RunFolder
from harness.spec import RunSpec
from harness.tuning.parameters import Value
from harness.tuning.scores import group_by_task, is_finished, last_score, normalised_score
from harness.tuning.study import TuningStudy
from harness.tuning.trials import confirmation_seeds

DEFAULT = "the suite's own settings"


@dataclass(frozen=True)
class Candidate:
    """Settings that are run again.

    Attributes:
        trial: Number of the trial; ``None`` for the suite's own settings where no trial has them.
        default: Whether they are the suite's own.
        settings: Values by parameter; empty for the suite's own.
        tuned: The score that the trial had, if it was one.
        specs: Its runs with the seeds of confirmations.
    """

    trial: int | None
    default: bool
    settings: dict[str, Value]
    tuned: float | None
    specs: Sequence[RunSpec]


@dataclass(frozen=True)
class Confirmation:
    """What settings scored on fresh seeds; plain data.

    Attributes:
        trial, default, settings, tuned: As of the candidate.
        scores: Name of the task and normalised score of each finished run.
        planned: Number of runs that there should be.
    """

    trial: int | None
    default: bool
    settings: dict[str, Value]
    tuned: float | None
    scores: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    planned: int = 0

    @property
    def label(self) -> str:
        """The candidate's name in tables."""
        return DEFAULT if self.default else f"trial {self.trial}"

    @property
    def complete(self) -> bool:
        """Whether all of its runs are finished."""
        return 0 < self.planned == len(self.scores)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Confirmation:
        """A confirmation as JSON gives it."""
        scores = [(str(task), float(score)) for task, score in data["scores"]]
        return cls(data["trial"], data["default"], data["settings"], data["tuned"], scores, data["planned"])


@dataclass(frozen=True)
class CandidateComparison:
    """A candidate compared with the suite's own settings.

    Attributes:
        confirmation: Runs of the candidate.
        place: Its place among the candidates by tuned score, from 0; that of the suite's own settings means nothing.
        score: Its aggregate on fresh seeds.
        drop: What it lost of its tuned score; ``None`` where it was no trial.
        improvement: The chance that a run of it scores more than one of the suite's own settings; ``None`` for these.
        p_value: How rare as large a difference would be if settings made none; ``None`` where there is no ``improvement``.
    """

    confirmation: Confirmation
    place: int
    score: IntervalEstimate
    drop: float | None
    improvement: IntervalEstimate | None
    p_value: float | None = None

    @property
    def helped(self) -> bool:
        """Whether it is better than the suite's own settings, by a test that would err in 2.5 % at most."""
        if self.improvement is None or self.p_value is None or self.improvement.low is None:
            return False
        return self.p_value < SIGNIFICANCE_LEVEL and self.improvement.value > 0.5


def candidates(study: TuningStudy, max_trials: int) -> list[Candidate]:
    """The best trials, best first, then the suite's own settings.

    With several objectives the best are those that no other trial beats in all of them, by score.
    """
    seeds = confirmation_seeds(study.definition.options.confirm_seeds)
    eligible = study.best_trials() if study.multi_objective else study.complete_trials()
    by_score = sorted(eligible, key=lambda trial: (-trial.values[0], trial.number))
    own = next((trial for trial in study.complete_trials() if trial.user_attrs.get("default")), None)
    found: list[Candidate] = []
    for trial in by_score:
        settings = dict(trial.params)
        seen = any(settings == other.settings for other in found)
        if len(found) < max_trials and not seen and (own is None or settings != own.params):
            specs = study.definition.specs(settings, seeds)
            found.append(Candidate(trial.number, default=False, settings=settings, tuned=trial.values[0], specs=specs))
    return [
        *found,
        Candidate(
            own.number if own else None,
            default=True,
            settings={},
            tuned=own.values[0] if own else None,
            specs=study.definition.specs({}, seeds),
        ),
    ]


def read_confirmations(found: Sequence[Candidate], results: Path) -> list[Confirmation]:
    """What the finished runs of candidates scored."""
    confirmed: list[Confirmation] = []
    for one in found:
        scores: list[tuple[str, float]] = []
        scored = [spec for spec in one.specs if not spec.pretraining]
        for spec in scored:
            with suppress(ResultsError):  # what cannot be read is not finished, and its training said why
                if is_finished(spec, results):
                    score = last_score(RunFolder.of(spec, results), spec.evaluation.episodes)
                    scores.append((spec.task, normalised_score(spec, score)))
        confirmed.append(Confirmation(one.trial, one.default, one.settings, one.tuned, scores, len(scored)))
    return confirmed


def compare(study: str, metric: str, confirmed: Sequence[Confirmation]) -> list[CandidateComparison]:
    """Each candidate with its aggregate and what it gains over the suite's own settings; incomplete ones are left out."""
    own = next((one for one in confirmed if one.default and one.complete), None)
    order = sorted((one for one in confirmed if not one.default), key=_by_tuned_score)
    found: list[CandidateComparison] = []
    for one in confirmed:
        if not one.complete:
            continue
        random = statistics.named_generator("tuning", study, one.label)
        score = statistics.aggregates(group_by_task(one.scores), random)[metric]
        improvement, p_value = None, None
        if own is not None and one is not own:
            theirs, ours = group_by_task(one.scores), group_by_task(own.scores)
            improvement, p_value = statistics.probability_of_improvement(theirs, ours, random), rank_sum(theirs, ours)
        drop = None if one.tuned is None else one.tuned - score.value
        place = len(order) if one.default else order.index(one)
        found.append(CandidateComparison(one, place, score, drop, improvement, p_value))
    return found


def _by_tuned_score(one: Confirmation) -> tuple[float, int]:
    return (-one.tuned if one.tuned is not None else math.inf, one.trial if one.trial is not None else 0)


def _in_order(compared: Sequence[CandidateComparison]) -> list[CandidateComparison]:
    """The trials by tuned score, up to the first that is not there because runs of it are not finished."""
    trials = {one.place: one for one in compared if not one.confirmation.default}
    return [trials[place] for place in takewhile(trials.__contains__, count())]


def recommended(compared: Sequence[CandidateComparison]) -> CandidateComparison | None:
    """The trial whose settings are recommended; ``None`` where the suite's own are, because tuning did not show to help.

    It is the one with the highest score on fresh seeds, the better tuned of equals, among those that helped; they are asked
    in the order of their tuned scores, and no more after the first that did not.
    """
    proven = list(takewhile(lambda one: one.helped, _in_order(compared)))
    return max(proven, key=lambda one: (one.score.value, -one.place), default=None)


def verdict(compared: Sequence[CandidateComparison]) -> str:
    """Whether tuning helped, in a sentence."""
    own = next((one for one in compared if one.confirmation.default), None)
    first = next(iter(_in_order(compared)), None)
    judged = recommended(compared) or first
    if judged is None or own is None or judged.improvement is None or judged.p_value is None:
        return (
            f"Nothing was confirmed: there is no trial beside {DEFAULT}, or runs of theirs or of the trial with the highest"
            " tuned score are not finished."
        )
    figures = (
        f"{judged.confirmation.label} scores {judged.score.value:.3f} on fresh seeds, {DEFAULT} {own.score.value:.3f};"
        f" a run of it is better than one of theirs with probability {judged.improvement.value:.2f}"
    )
    chance = judged.improvement
    if chance.low is None or chance.high is None:
        return f"Too few seeds to tell whether tuning helped: {figures}."
    interval = f" [{chance.low:.2f}, {chance.high:.2f}], p = {judged.p_value:.2g}"
    if judged.helped:
        return f"Tuning helped: {figures}{interval}."
    if judged.p_value < SIGNIFICANCE_LEVEL and chance.value < 0.5:
        return f"Tuning did not help, the suite's own settings are better: {figures}{interval}."
    return f"Tuning did not clearly help: {figures}{interval}."
