"""What of the results a report shows, under which names and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from harness.errors import ResultsError, UnknownNameError, UserError
from harness.runs.naming import SEPARATOR

if TYPE_CHECKING:
    from harness.analysis.tables import Analysis
    from harness.runs.results import Results


@dataclass(frozen=True)
class Selection:
    """What a reader asks for. A method may be named by its label, or by the name that several configurations share.

    Attributes:
        methods: Methods to show; all if none are named.
        tasks: Tasks to show; all if none are named.
        names: New names of methods, by the old ones.
        order: Methods in the order in which they are to stand, several of them separated by commas or one by one; others
            follow, the baseline first.
    """

    methods: Sequence[str] = ()
    tasks: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    order: Sequence[str] = ()

    def apply(self, results: Results) -> Results:
        """The part of the results that is asked for, with the names that are asked for.

        Raises:
            UnknownNameError: Nothing is called so.
            UserError: Two methods would have the same name.
        """
        found = self._with_names(_filtered(results, self.methods, self.tasks))
        _labels_of(found, self.order, self.names)  # unknown ones are refused before the work
        return found

    def arrange(self, analysis: Analysis, results: Results) -> Analysis:
        """The same numbers with methods in the order that is asked for."""
        first = [label for label in _labels_of(results, self.order, self.names) if label in analysis.methods]
        if not first:
            return analysis
        methods = (*first, *(label for label in analysis.methods if label not in first))
        tables = {name: _sorted(table, methods) for name, table in analysis.tables.items()}
        return replace(analysis, methods=methods, tables=tables)

    def renamed(self, results: Results, name: str | None) -> str | None:
        """The label of a method, or the name that several share, in results that have new names; by either of its names."""
        labels = set(results.runs["label"])
        if name is None or name in labels:
            return name
        if self.names.get(name) in labels:
            return self.names[name]
        return next((old for old, new in self.names.items() if new == name), name)

    def _with_names(self, results: Results) -> Results:
        new: dict[str, str] = {}
        for old, name in self.names.items():
            for label in _matching(results, old):
                # of several configurations of a name, each keeps what tells it from the others
                new[label] = name + label.removeprefix(old) if label.startswith(old) else name
        for suite in results.suites:
            labels = results.runs.filter(suite=suite)["label"].unique().sort().to_list()
            _refuse_collisions(suite, labels, new)
        renamed = pl.col("label").replace(new)
        return replace(
            results,
            runs=results.runs.with_columns(renamed),
            streams=_follow({label: results.streams.get(label, label) for label in results.runs["label"].unique()}, new),
            sources=_follow(results.sources, new),
        )


def _follow(found: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {new.get(label, label): value for label, value in found.items()}


def _filtered(results: Results, methods: Sequence[str], tasks: Sequence[str]) -> Results:
    if not (methods or tasks):
        return results
    labels = {label for name in methods for label in _matching(results, name)}
    known = results.runs["task"].unique().sort().to_list()
    for name in tasks:
        if name not in known:
            raise UnknownNameError("task", name, known)
    wanted = pl.lit(value=True)
    of_task = pl.col("task").is_in(list(tasks)) if tasks else wanted
    of_label = pl.col("label").is_in(sorted(labels)) if methods else wanted
    runs = results.runs.filter(of_task, of_label)
    if runs.filter(pl.col("folder").is_not_null()).is_empty():
        raise ResultsError("no run is left to report on: none is of these methods on these tasks")
    names = set(runs["method"])
    of_method = pl.col("method").is_in(sorted(names)) if methods else wanted
    kept = runs.select("suite", "task").unique()
    folders = runs["folder"].drop_nulls().unique().to_list()
    return replace(
        results,
        runs=runs,
        pretraining=results.pretraining.filter(of_method),
        abandoned=results.abandoned.filter(of_task, of_method),
        tasks=results.tasks.join(kept, on=["suite", "task"], how="semi", maintain_order="left"),
        evaluations=results.evaluations.filter(pl.col("folder").is_in(folders)),
        fingerprint=f"{results.fingerprint}, a part",  # so that nobody takes the report for one on everything
    )


def _matching(results: Results, name: str) -> list[str]:
    """The labels that a name stands for.

    Raises:
        UnknownNameError: None.
    """
    known = results.runs.select("method", "label").unique().sort("label").rows()
    found = [label for _, label in known if label == name] or [label for method, label in known if method == name]
    if not found:
        raise UnknownNameError("method", name, list(dict.fromkeys(one for pair in known for one in pair)))
    return list(dict.fromkeys(found))


def _labels_of(results: Results, order: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The labels in an order that names them by what they are or were called."""
    found: dict[str, None] = {}
    known = set(results.runs["label"])
    places = {label: i for i, label in enumerate(results.sources)}  # of several folders, the first comes first
    whole = {*known, *results.runs["method"], *names}
    parts = [part.strip() for name in order for part in ([name] if name in whole else name.split(","))]
    for name in filter(None, parts):
        called = names.get(name, name)
        if called in known:
            found[called] = None
            continue
        given = called in names.values()  # to several that share a name, each with what tells it from the others
        renamed = sorted(label for label in known if given and label.startswith(called + SEPARATOR))
        found |= dict.fromkeys(sorted(renamed or _matching(results, called), key=lambda label: places.get(label, 0)))
    return list(found)


def _refuse_collisions(suite: str, labels: Sequence[str], new: Mapping[str, str]) -> None:
    called: dict[str, str] = {}
    for label in labels:
        name = new.get(label, label)
        if name in called:
            raise UserError(
                f"{called[name]!r} and {label!r} of suite {suite} cannot both be called {name!r}: give other names"
            )
        called[name] = label


def _sorted(table: pl.DataFrame, methods: Sequence[str]) -> pl.DataFrame:
    """A table's rows with methods in order; within whatever tasks stand apart, these in the order that they have."""
    if "method" not in table.columns or table.is_empty():
        return table
    rank = pl.col("method").replace_strict({label: i for i, label in enumerate(methods)}, default=len(methods))
    keys = [rank]
    if "task" in table.columns and table["task"].n_unique() > 1:
        places = {task: i for i, task in enumerate(table["task"].unique(maintain_order=True))}
        keys.insert(0, pl.col("task").replace_strict(places, default=-1, return_dtype=pl.Int64))
    return table.sort(keys, maintain_order=True)
