"""What a reviewer would write in the margin of a suite's numbers, said before anybody has to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from harness.analysis.significance import SIGNIFICANCE_LEVEL
from harness.report.context import SuiteContext
from harness.report.differences import describe_differences, describe_versions
from harness.report.wording import decimals_for, format_count, format_number, format_p_value, join_names
from harness.spec import RunSpec

if TYPE_CHECKING:
    from harness.tuning.record import StudyRecord

_MIN_TASKS = 3
_DOMINATING = 0.5
"""Share of all differences between two methods from which on one task makes up most of them."""

_MAX_PHRASES = 6


def collect_remarks(suite: SuiteContext) -> list[str]:
    """All that apply to a suite."""
    checks: tuple[Callable[[SuiteContext], Iterator[str]], ...] = (
        _unknown_plan,
        _undecided_best,
        _stuck_baseline,
        _nobody_moved,
        _dominating_tasks,
        _tuned_on_what_is_reported,
        _unequal_versions,
    )
    return [remark for check in checks for remark in check(suite)]


def _unknown_plan(suite: SuiteContext) -> Iterator[str]:
    if not suite.plan_recorded:
        yield (
            "No plan was recorded with these results, so runs that were asked for and never began cannot be counted: “planned”"
            " is what has a folder. Plans are recorded since December 2026."
        )


def _undecided_best(suite: SuiteContext) -> Iterator[str]:
    """The first method, and those that the tests do not separate from it although its interval may look better."""
    table = suite.analysis.tables["aggregates"].filter(pl.col("tasks") == pl.col("of_tasks"), metric="iqm")
    if table.height < 2:
        return
    ends = {label: (value, low, high) for label, value, low, high in table.select("method", "value", "low", "high").rows()}
    best = max(ends, key=lambda label: (ends[label][0], label))
    p_values: dict[str, float] = {}
    for label, other, p_value in suite.analysis.tables["comparisons"].select("method", "other", "p_holm").rows():
        if best in (label, other):
            p_values[other if label == best else label] = p_value
    close = [
        f"{label} ({format_p_value(p_values[label])})"
        for label in ends
        if label in p_values and p_values[label] >= SIGNIFICANCE_LEVEL and _overlap(ends[label][1:], ends[best][1:])
    ]
    if close:
        known = all(end is not None for label in (best, *p_values) for end in ends.get(label, ()))
        overlap = f"its interval overlaps with those of {join_names(close)}, and " if known else ""
        them = "them" if known else f"it from {join_names(close)}"
        yield (
            f"{best} has the highest IQM, but {overlap}the rank-sum test after Holm's correction does not separate {them}:"
            " these runs do not make it the best."
        )


def _overlap(one: tuple[float | None, float | None], other: tuple[float | None, float | None]) -> bool:
    """Whether two intervals share a number; where there is none, nothing lies apart."""
    (low, high), (other_low, other_high) = one, other
    if low is None or high is None or other_low is None or other_high is None:
        return True
    return low <= other_high and other_low <= high


def _constants(suite: SuiteContext) -> Mapping[tuple[str, str], float]:
    """What every evaluation of every run of a method on a task returned, where it was always the same."""
    curves = suite.analysis.tables["curves"].filter(pl.col("task").is_not_null())
    spread = curves.group_by("task", "method").agg(pl.col("value").min().alias("least"), pl.col("value").max().alias("most"))
    flat = {(task, label): least for task, label, least, most in spread.rows() if least == most}
    scores = suite.analysis.tables["tasks"]
    varying = {
        (task, label) for task, label, least, most in scores.select("task", "method", "min", "max").rows() if least != most
    }
    return {cell: value for cell, value in flat.items() if cell not in varying}


def _stuck_baseline(suite: SuiteContext) -> Iterator[str]:
    analysis, constants = suite.analysis, _constants(suite)
    if analysis.baseline is None:
        return
    tried = {(task, label) for task, label in analysis.tables["curves"].drop_nulls("task").select("task", "method").rows()}
    stuck: dict[float, list[str]] = {}
    for task in analysis.tasks["task"]:
        value = constants.get((task, analysis.baseline))
        others = [(task, label) for label in analysis.methods if label != analysis.baseline and (task, label) in tried]
        if value is not None and any(constants.get(cell) != value for cell in others):
            stuck.setdefault(value, []).append(task)
    for value, tasks in stuck.items():
        yield (
            f"The baseline {analysis.baseline} never left {_plain(value)} on {join_names(tasks)}, in any evaluation: it"
            " learned nothing there in this budget. That others score more shows that they find reward at all; it does not"
            " show how much better they are than a baseline that works."
        )


def _nobody_moved(suite: SuiteContext) -> Iterator[str]:
    constants = _constants(suite)
    curves = suite.analysis.tables["curves"].drop_nulls("task").select("task", "method").unique()
    still: list[str] = []
    for task in suite.analysis.tasks["task"]:
        labels = curves.filter(task=task)["method"].to_list()
        values = {constants.get((task, label)) for label in labels}
        if len(values) == 1 and None not in values:
            still.append(f"{task} ({_plain(cast(float, *values))})")
    if still:
        yield (
            f"Every evaluation of every method returned the same on {join_names(still)}: such tasks tell nothing about methods"
            " in this budget, and draw aggregates together."
        )


def _plain(value: float) -> str:
    return format_number(value, 0 if float(value).is_integer() else decimals_for([value]))


def _dominating_tasks(suite: SuiteContext) -> Iterator[str]:
    """Differences to the baseline that one task makes."""
    analysis = suite.analysis
    table = analysis.tables["tasks"].filter(pl.col("task").is_in(analysis.usable_tasks)).drop_nulls("normalised")
    means = {(label, task): value for label, task, value in table.select("method", "task", "normalised").rows()}
    for label in analysis.methods:
        tasks = [task for task in analysis.usable_tasks if {(label, task), (analysis.baseline, task)} <= means.keys()]
        if label == analysis.baseline or len(tasks) < _MIN_TASKS:
            continue
        differences = {task: means[label, task] - means[cast(str, analysis.baseline), task] for task in tasks}
        largest = max(tasks, key=lambda task: abs(differences[task]))
        total, size = sum(differences.values()) / len(tasks), sum(map(abs, differences.values()))
        without = sum(value for task, value in differences.items() if task != largest) / (len(tasks) - 1)
        if size > 0 and abs(differences[largest]) > _DOMINATING * size and abs(without) < abs(total) / 2:
            yield (
                f"One task makes most of the difference between {label} and {analysis.baseline}: on {largest} it is"
                f" {_signed(differences[largest])} in normalised score, over all {len(tasks)} tasks {_signed(total)} on"
                f" average, and without {largest} {_signed(without)}."
            )


def _signed(value: float) -> str:
    text = format_number(value)
    return f"+{text}" if value > 0 and text != format_number(0.0) else text


def _tuned_on_what_is_reported(suite: SuiteContext) -> Iterator[str]:
    """Methods with the settings of a trial that was chosen for its score on tasks of the report."""
    reported = set(suite.analysis.tasks["task"])
    first = suite.analysis.current_runs.drop_nulls("folder").unique("label", keep="first", maintain_order=True)
    specs = {label: suite.records[folder].spec for label, folder in first.select("label", "folder").rows()}
    for study in suite.studies:
        tasks = [task for task in cast(Mapping[str, Any], study.definition["tasks"]) if task in reported]
        tuned = {label: trial for label, spec in specs.items() if (trial := _trial_of(study, spec)) is not None}
        if tasks and tuned:
            named = [f"{label} (trial {trial})" for label, trial in tuned.items()]
            others = [label for label in specs if label not in tuned]
            more = f" {join_names(others)} had no such search here." if others else ""
            yield (
                f"Settings of {join_names(named)} are of study {study.name}, which searched for high scores on"
                f" {join_names(tasks)}: tasks that are reported here. The seeds are others, but these scores are what the"
                f" settings were chosen for, and would be lower on tasks that no search saw.{more}"
            )


def _trial_of(study: StudyRecord, spec: RunSpec) -> int | None:
    """The number of the first finished trial of a study with a run's settings; ``None`` if there is none.

    Nor is there one where the settings are the suite's own: a study tries them as well, and did not choose them.
    """
    if spec.method != study.method and not (spec.reward and spec.reward.name == study.method):
        return None
    settings = _searchable(spec)
    finished = [trial for trial in study.trials if trial["state"] == "COMPLETE"]
    same = [trial for trial in finished if _holds(settings, cast(Mapping[str, Any], trial["params"]))]
    if not same or any(trial.get("user_attrs", {}).get("default") for trial in same):
        return None
    return int(same[0]["number"])


def _holds(settings: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether settings have the values that a trial tried."""
    return bool(params) and all(key in settings and settings[key] == value for key, value in params.items())


def _searchable(spec: RunSpec) -> dict[str, Any]:
    """The settings that a search may have chosen, by the keys that it knows them under."""
    blocks: dict[str, Mapping[str, Any]] = {"algorithm": spec.algorithm.config}
    if spec.reward:
        blocks |= {"config": spec.reward.config, "combine": spec.reward.combine.model_dump(mode="json")}
    found: dict[str, Any] = {}
    left = [(name, cast(Any, block)) for name, block in blocks.items()]
    while left:
        name, value = left.pop()
        if isinstance(value, Mapping):
            left += [(f"{name}.{key}", part) for key, part in cast(Mapping[str, Any], value).items()]
        else:
            found[name] = value
    return found


def _unequal_versions(suite: SuiteContext) -> Iterator[str]:
    """Runs that were trained with different versions of the code, whichever method they are of."""
    read = suite.analysis.current_runs.drop_nulls("folder").select("label", "folder").rows()
    found = [(label, describe_versions(suite.records[folder].provenance)) for label, folder in read]
    found = [(label, versions) for label, versions in found if versions]
    differing: list[str] = []
    for name in dict.fromkeys(name for _, versions in found for name in versions):
        needed_by_some = name.startswith(("plugin ", "package "))
        has_it = [(label, versions) for label, versions in found if name in versions or not needed_by_some]
        differing += describe_differences([(label, {name: versions.get(name, "not recorded")}) for label, versions in has_it])
    if differing:
        left = len(differing) - _MAX_PHRASES
        more = f"; and {format_count(left, 'more difference')} under “Provenance”" if left > 0 else ""
        yield (
            f"Not all runs were trained with the same code: {'; '.join(differing[:_MAX_PHRASES])}{more}. What differs between"
            " methods, or between seeds, may be the version."
        )
