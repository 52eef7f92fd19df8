"""Optuna's own figures of a study."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as figures

from harness.report.context import StudyContext
from harness.report.document import Block, FigureBlock, Paragraph, Section
from harness.report.drawing import ExternalPlot
from harness.runs.output import file_stem

_MIN_TRIALS_FOR_IMPORTANCE = 4


def build(study: StudyContext) -> Section | None:
    """How the search went and which settings mattered; figures that need more trials than there are, are left out."""
    record = study.record
    optuna_study = record.to_optuna_study()
    complete = [trial for trial in optuna_study.trials if trial.state == TrialState.COMPLETE]
    if not complete:
        return None
    several = len(record.objectives) > 1
    target: dict[str, Any] = {"target": _score, "target_name": "score"} if several else {"target_name": "score"}
    stem = file_stem(record.suite, record.name)
    blocks: list[Block] = [Paragraph("History: every trial, and the best so far.")]
    blocks.append(
        _figure(f"{stem}-history", "Optimisation history", lambda: figures.plot_optimization_history(optuna_study, **target))
    )
    if several:
        axes = ["score", "seconds per run"]
        blocks.append(
            _figure(f"{stem}-pareto", "Pareto front", lambda: figures.plot_pareto_front(optuna_study, target_names=axes))
        )
    if len(complete) >= _MIN_TRIALS_FOR_IMPORTANCE and len({trial.values[0] for trial in complete}) > 1:
        blocks.append(
            Paragraph(
                "Importances (PED-ANOVA): how much of the difference between good trials and the others each setting accounts"
                " for; with few trials, a rough guess."
            )
        )
        blocks.append(
            _figure(f"{stem}-importances", "Importances", lambda: figures.plot_param_importances(optuna_study, **target))
        )
    names = sorted({name for trial in complete for name in trial.params})
    if names:
        blocks.append(Paragraph("Parallel coordinates: every complete trial is a line; the darker, the better."))
        parallel = lambda: figures.plot_parallel_coordinate(optuna_study, **target)  # noqa: E731
        size = (max(6.4, 1.1 * len(names) + 2), 4.4)
        blocks.append(_figure(f"{stem}-parallel", "Parallel coordinates", parallel, size))
        blocks.append(Paragraph("Slices: the score over each setting; the darker, the later."))
        blocks.append(FigureBlock(_slices(optuna_study, names, target, f"{stem}-slices")))
    return Section("Search", tuple(blocks))


def _score(trial: FrozenTrial) -> float:
    return trial.values[0]


def _figure(name: str, title: str, draw: Callable[[], Any], size: tuple[float, float] = (6.4, 3.4)) -> FigureBlock:
    make = _figure_factory(draw)
    return FigureBlock(ExternalPlot(name, title, (make,), make, size, size))


def _slices(study: optuna.Study, names: Sequence[str], target: dict[str, Any], stem: str) -> ExternalPlot:
    panels = tuple(_figure_factory(lambda name=name: figures.plot_slice(study, params=[name], **target)) for name in names)
    whole = _figure_factory(lambda: figures.plot_slice(study, params=list(names), **target))
    return ExternalPlot(stem, "Slices", panels, whole, (3.7, 2.9), (max(3.0 * len(names), 3.7), 3.2))


def _figure_factory(draw: Callable[[], Any]) -> Callable[[], Figure]:
    """A function that makes the figure, whatever Optuna returns for it, and says nothing beside."""

    def make() -> Figure:
        from matplotlib import pyplot

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            draw()
        return pyplot.gcf()

    return make
