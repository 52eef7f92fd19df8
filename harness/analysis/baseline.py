"""Which method the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from harness.errors import UnknownNameError
from harness.runs.results import Results


def choose_baseline(results: Results, suite: str, wanted: str | None) -> str | None:
    """The label of a suite's baseline: ``wanted``, else the only method without a bonus, else the first alphabetically.

    ``wanted`` may be the name that several configurations share. Of these, and of several configurations of the only method
    without a bonus, the one counts that has scores on most tasks, of equals the one with most scores, then the first; where
    folders have names, one of the folder that is named first.

    Returns:
        A label, or ``None`` when there is only one method, or when another suite knows ``wanted`` but this one does not.

    Raises:
        UnknownNameError: When no suite knows ``wanted``.
    """
    runs = results.runs.filter(suite=suite)
    labels = runs["label"].unique().sort().to_list()
    if wanted is not None:
        return wanted if wanted in labels else _named(results, suite, wanted)
    if len(labels) < 2:
        return None
    read = runs.filter(pl.col("folder").is_not_null())
    rows = read.select("label", "method", "folder").rows()
    plain = {label: method for label, method, folder in rows if results.records[folder].spec.reward is None}
    if len(set(plain.values())) == 1:
        return _best(results, suite, sorted(plain))
    return min(labels, key=lambda label: (results.source_rank(label), label))


def _named(results: Results, suite: str, wanted: str) -> str | None:
    """The label of the suite's configuration of a name that counts; ``None`` where only another suite has one."""
    known = results.runs.select("suite", "method", "label").unique()
    named = known.filter(suite=suite, method=wanted)["label"].sort().to_list()
    if not named and not (set(known["label"]) | set(known["method"])) & {wanted}:
        raise UnknownNameError("baseline", wanted, sorted({*known["label"], *known["method"]}))
    return _best(results, suite, named) if named else None


def _best(results: Results, suite: str, labels: Sequence[str]) -> str:
    """The label with scores on most tasks, of equals with most scores; of the first folder, where folders have names."""
    scored = results.runs.filter(~pl.col("superseded"), suite=suite).drop_nulls("score")

    def rank(label: str) -> tuple[int, int, int, str]:
        own = scored.filter(label=label)
        name = results.streams.get(label, label)
        return results.source_rank(label), -own["task"].n_unique(), -own.height, name

    return min(labels, key=rank)
