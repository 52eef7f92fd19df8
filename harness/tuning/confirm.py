"""The best trials again, on fresh seeds: the highest of many scores is too high, and this shows by how much."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
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
        score: Its aggregate on fresh seeds.
        drop: What it lost of its tuned score; ``None`` where it was no trial.
        improvement: The chance that a run of it scores more than one of the suite's own settings; ``None`` for these.
        p_value: How rare as large a difference would be if settings made none; ``None`` where there is no ``improvement``.
    """

    confirmation: Confirmation
    score: IntervalEstimate
    drop: float | None
    improvement: IntervalEstimate | None
    p_value: float | None = None


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
        found.append(CandidateComparison(one, score, drop, improvement, p_value))
    return found


def winner(compared: Sequence[CandidateComparison]) -> CandidateComparison | None:
    """The trial with the highest score on fresh seeds, the better tuned of equals."""
    trials = [one for one in compared if not one.confirmation.default]
    return max(trials, key=lambda one: (one.score.value, one.confirmation.tuned or 0.0), default=None)


def verdict(compared: Sequence[CandidateComparison]) -> str:
    """Whether tuning helped, in a sentence."""
    best, own = winner(compared), next((one for one in compared if one.confirmation.default), None)
    if best is None or own is None or best.improvement is None or best.p_value is None:
        return "Nothing was confirmed."
    figures = (
        f"{best.confirmation.label} scores {best.score.value:.3f} on fresh seeds, {DEFAULT} {own.score.value:.3f};"
        f" a run of it is better than one of theirs with probability {best.improvement.value:.2f}"
    )
    chance = best.improvement
    if chance.low is None or chance.high is None:
        return f"Too few seeds to tell whether tuning helped: {figures}."
    interval = f" [{chance.low:.2f}, {chance.high:.2f}], p = {best.p_value:.2g}"
    decided = best.p_value < SIGNIFICANCE_LEVEL
    if decided and chance.value > 0.5:
        return f"Tuning helped: {figures}{interval}."
    if decided:
        return f"Tuning did not help, the suite's own settings are better: {figures}{interval}."
    return f"Tuning did not clearly help: {figures}{interval}."
