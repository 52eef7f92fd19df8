"""The tables of a suite, which are the CSV files of its report: their names, columns and types."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_TEXT, _COUNT, _NUMBER = pl.String, pl.Int64, pl.Float64
SUCCESS = "success"
"""The measurement that says whether an episode reached its goal."""

_ESTIMATE_COLUMNS = {"value": _NUMBER, "low": _NUMBER, "high": _NUMBER}
_KEY_COLUMNS = {"suite": _TEXT, "task": _TEXT, "method": _TEXT}
STATES = ("finished", "failed", "interrupted", "running", "missing")
"""What a planned run may be, in the order in which tables count them."""

SCHEMAS: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "aggregates": {"suite": _TEXT, "method": _TEXT, "metric": _TEXT, **_ESTIMATE_COLUMNS}
    | {"tasks": _COUNT, "of_tasks": _COUNT, "runs": _COUNT, "of_runs": _COUNT, "fewest_seeds": _COUNT},
    "profiles": {"suite": _TEXT, "method": _TEXT, "threshold": _NUMBER, **_ESTIMATE_COLUMNS},
    "improvement": {"suite": _TEXT, "baseline": _TEXT, "method": _TEXT, "task": _TEXT, **_ESTIMATE_COLUMNS}
    | {"tasks": _COUNT, "runs": _COUNT, "baseline_runs": _COUNT, "fewest_seeds": _COUNT, "p_value": _NUMBER},
    "curves": {**_KEY_COLUMNS, "statistic": _TEXT, "step": _COUNT, **_ESTIMATE_COLUMNS, "runs": _COUNT, "of_runs": _COUNT},
    "tasks": {
        **_KEY_COLUMNS,
        **_ESTIMATE_COLUMNS,
        "sd": _NUMBER,
        "min": _NUMBER,
        "max": _NUMBER,
        "normalised": _NUMBER,
        "scores": _COUNT,
    }
    | {"planned": _COUNT, **dict.fromkeys(STATES, _COUNT)},
    "measurements": {**_KEY_COLUMNS, "measurement": _TEXT, "mean": _NUMBER, "sd": _NUMBER, "runs": _COUNT}
    | {"successes": _COUNT, "low": _NUMBER, "high": _NUMBER},
    "comparisons": {"suite": _TEXT, "method": _TEXT, "other": _TEXT, **_ESTIMATE_COLUMNS}
    | {"tasks": _COUNT, "runs": _COUNT, "other_runs": _COUNT, "pairs": _COUNT, "correlation": _NUMBER}
    | {"difference": _NUMBER, "p_difference": _NUMBER, "p_signed_rank": _NUMBER, "p_rank_sum": _NUMBER, "p_holm": _NUMBER},
    "ranks": {"suite": _TEXT, "method": _TEXT, **_ESTIMATE_COLUMNS, "first": _NUMBER, "tasks": _COUNT, "runs": _COUNT},
    "areas": {**_KEY_COLUMNS, "statistic": _TEXT, **_ESTIMATE_COLUMNS, "tasks": _COUNT, "runs": _COUNT},
    "thresholds": {**_KEY_COLUMNS, "threshold": _NUMBER, "reached": _COUNT, "runs": _COUNT, "low": _NUMBER, "high": _NUMBER}
    | {"steps": _NUMBER, "frames": _NUMBER, "seconds": _NUMBER},
    "measurement_curves": {**_KEY_COLUMNS, "measurement": _TEXT, "step": _COUNT, "value": _NUMBER, "min": _NUMBER}
    | {"max": _NUMBER, "runs": _COUNT, "of_runs": _COUNT},
    "visits": {**_KEY_COLUMNS, "mark": _NUMBER, "step": _COUNT, "row": _COUNT, "column": _COUNT, "share": _NUMBER}
    | {"bonus": _NUMBER, "runs": _COUNT},
    "bonuses": {**_KEY_COLUMNS, "quantity": _TEXT, "step": _COUNT, "value": _NUMBER, "min": _NUMBER, "max": _NUMBER}
    | {"runs": _COUNT},
    "costs": {**_KEY_COLUMNS, "steps_per_second": _NUMBER, "slowest": _NUMBER, "fastest": _NUMBER, "seconds": _NUMBER}
    | {"total_seconds": _NUMBER, "memory_bytes": _NUMBER, "energy_joules": _NUMBER, "runs": _COUNT},
}
"""Columns of each table. A null ``task`` means all tasks together; null ends mean too few seeds for an interval."""
