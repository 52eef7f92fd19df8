"""Scores as files that other programs read, see `harness.analysis.exports`."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.analysis.exports import marl_eval_data, rliable_matrices, score_arrays
from harness.runs.output import file_stem
from harness.runs.results import Results

MARL_EVAL_FILE = "marl_eval.json"

_FIRST_YEAR, _LAST_YEAR = 1980, 2107  # of dates that a zip file can hold


def export_files(results: Results) -> dict[str, str]:
    """The content of each file, by name: matrices for rliable, one file for each suite, and everything for marl-eval."""
    matrices = {f"rliable-{file_stem(suite)}.json": rliable_matrices(results, suite) for suite in results.suites}
    contents: dict[str, Any] = {**matrices, MARL_EVAL_FILE: marl_eval_data(results)}
    return {name: json.dumps(content, allow_nan=False) + "\n" for name, content in contents.items()}


def array_files(results: Results) -> dict[str, bytes]:
    """The content of each file of arrays, one for each suite, by name."""
    return {f"scores-{file_stem(suite)}.npz": _npz(score_arrays(results, suite)) for suite in results.suites}


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as `numpy.load` reads them without pickle: the same to the byte whenever they are written."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _date())
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # whatever system writes it
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def _date() -> tuple[int, int, int, int, int, int]:
    """The date of files within a file: that of ``SOURCE_DATE_EPOCH``, and without one the first that there is."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return (_FIRST_YEAR, 1, 1, 0, 0, 0)
    year, month, day, hour, minute, second = time.gmtime(int(text))[:6]
    if year > _LAST_YEAR:
        return (_LAST_YEAR, 12, 31, 23, 59, 58)
    return (_FIRST_YEAR, 1, 1, 0, 0, 0) if year < _FIRST_YEAR else (year, month, day, hour, minute, second)
