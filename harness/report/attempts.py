"""Every attempt at every run: when, where, with which command, commit and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import polars as pl

from harness.runs.folder import RunRecord
from harness.runs.results import Results

_FACTS = ("command", "harness", "commit", "plugins", "packages", "python", "system", "cpu", "cores", "memory_gib", "device")
"""What a run records of itself, in the order of columns; whatever is no text is given as JSON."""

_COLUMNS = {
    **{"suite": pl.String, "task": pl.String, "method": pl.String, "seed": pl.Int64},
    **{"attempt": pl.Int64, "started": pl.String, "step": pl.Int64, "host": pl.String},
    **dict.fromkeys((*_FACTS, "folder"), pl.String),
}


def attempts_table(results: Results) -> pl.DataFrame:
    """One row for each attempt at each run, pre-training included; of old records, which tell of the last attempt alone, one.

    Args:
        results: What was read.
    """
    labels = dict(results.runs.drop_nulls("folder").select("folder", "label").iter_rows())
    rows = [
        (spec.suite, spec.task, labels.get(folder, spec.method), spec.seed, *facts, folder)
        for folder, record in results.records.items()
        for spec in (record.spec,)
        for facts in _attempts(record)
    ]
    table = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
    return table.sort("suite", "task", "method", "seed", "folder", "attempt")


def _attempts(record: RunRecord) -> Iterator[tuple[object, ...]]:
    for number, one in enumerate(record.attempts, 1):
        yield number, one.started, one.step, one.host, *_facts(one.provenance)
    if not record.attempts:
        status = record.status
        host = status.history[-1].host if status.history else None
        yield status.attempts, status.started, None, host, *_facts(record.provenance)


def _facts(provenance: Mapping[str, object]) -> Iterator[str | None]:
    for name in _FACTS:
        value = provenance.get(name)
        yield value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
