"""What was searched and what came of it."""

from __future__ import annotations

from collections import Counter
from typing import cast

from optuna.trial import FrozenTrial, TrialState

from harness.report.context import StudyContext
from harness.report.document import Block, BulletList, Paragraph, Section
from harness.report.trials import STATE_NAMES
from harness.report.wording import format_count, join_names
from harness.tuning.confirm import compare, verdict

_MAX_SHOWN = 10


def build(study: StudyContext) -> Section:
    """The size of a study, its verdict, and what failed."""
    record = study.record
    optuna_study = record.to_optuna_study()
    counts = Counter(trial.state for trial in optuna_study.trials)
    states = [f"{n} {STATE_NAMES.get(state, state.name.lower())}" for state, n in counts.items()]
    tasks = cast(list[str], record.definition["tasks"])
    options = record.options
    metric = {"iqm": "interquartile mean (IQM)", "mean": "mean"}[options["metric"]]
    text = (
        f"Study {record.name}: {format_count(len(optuna_study.trials), 'trial')} ({join_names(states)}) by sampler"
        f" {options['sampler']}, pruner"
        f" {options['pruner']}. A trial's score is the {metric} of normalised scores over"
        f" {format_count(len(tasks), 'task')} and"
        f" {format_count(options['seeds'], 'seed')} that belong to tuning alone: no evaluation uses them,"
        f" nor the environment seeds"
        " that follow from them."
    )
    blocks: list[Block] = [Paragraph(text)]
    if len(record.objectives) > 1:
        blocks.append(
            Paragraph(
                "The second objective is the training time of a run in seconds, as measured: it varies with the machine."
            )
        )
    compared = compare(record.name, options["metric"], record.confirmations())
    if compared:
        blocks.append(BulletList((verdict(compared),)))
    else:
        best = max((trial.values[0] for trial in optuna_study.trials if trial.state == TrialState.COMPLETE), default=None)
        if best is not None:
            message = (
                f"The best score, {best:.3f}, is the highest of many and so too high: nothing was run again on fresh seeds."
            )
            blocks.append(BulletList((message,), warning=True))
    errors = [
        f"Trial {t.number} failed: {t.user_attrs.get('error', 'no reason recorded')}"
        for t in optuna_study.trials
        if _failed(t)
    ]
    if errors:
        blocks.append(BulletList(tuple(errors[:_MAX_SHOWN]), warning=True))
    return Section(f"Tuning of {record.method} in suite {record.suite}", tuple(blocks), level=2)


def _failed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL
