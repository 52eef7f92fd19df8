"""Scores as files that other programs read, see `harness.analysis.exports`."""

from __future__ import annotations

import json
from typing import Any

from harness.analysis.exports import marl_eval_data, rliable_matrices
from harness.runs.output import file_stem
from harness.runs.results import Results

MARL_EVAL_FILE = "marl_eval.json"


def export_files(results: Results) -> dict[str, str]:
    """The content of each file, by name: matrices for rliable, one file for each suite, and everything for marl-eval."""
    matrices = {f"rliable-{file_stem(suite)}.json": rliable_matrices(results, suite) for suite in results.suites}
    contents: dict[str, Any] = {**matrices, MARL_EVAL_FILE: marl_eval_data(results)}
    return {name: json.dumps(content, allow_nan=False) + "\n" for name, content in contents.items()}
