"""Finding the reference numbers, re-creating what went into them, and comparing with what came out.

Every JSON file in this folder, and in the folder named by the environment variable HARNESS_GOLDEN, is a case; README.md
explains the files. Tests ask for the cases whose ``case`` begins with a name, so that other settings need no new test.
"""

from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

HERE = Path(__file__).parent
PRECISIONS = {torch.float64: "float64", torch.float32: "float32"}


def _load_protocol() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_protocol", HERE / "protocol.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


protocol = _load_protocol()


@dataclass(frozen=True)
class Case:
    """One file of reference numbers, run in one precision."""

    path: Path
    content: dict[str, Any]
    dtype: torch.dtype

    @property
    def settings(self) -> dict[str, Any]:
        return self.content["settings"]

    @property
    def expected(self) -> dict[str, Any]:
        return self.content["expected"]

    def text(self, key: str) -> str:
        """The sentences under ``fixed`` or ``notes``, joined."""
        return " ".join(self.content[key])

    def fill(self, parameters: list[torch.nn.Parameter], names: str = "") -> None:
        """Overwrite the parameters, in order, with those of the protocol, and check the fill against the file's sums.

        Args:
            parameters: All that the case lists, or all whose names begin with ``names``.
            names: How the names of those begin that are meant.
        """
        listed = [entry for entry in self.content["parameters"] if entry["name"].startswith(names)]
        assert [list(p.shape) for p in parameters] == [entry["shape"] for entry in listed]
        for parameter, entry in zip(parameters, listed, strict=True):
            array = protocol.parameter_array(self.content["seed"], entry["k"], entry["shape"], entry["gain"] or 1.0)
            wide = array.astype(np.float64)
            assert_close({"sum": entry["sum"], "l2": entry["l2"]}, wide, 1e-12, f"parameter {entry['name']}")
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(array))

    def parameter_names(self) -> list[str]:
        return [entry["name"] for entry in self.content["parameters"]]

    def inputs(self, name: str) -> list[np.ndarray]:
        """Every input whose name begins so, in order of j, float32 or uint8, checked against the file's sums."""
        return [self._input(entry) for entry in sorted(self._entries(name), key=lambda entry: entry["j"])]

    def input(self, name: str, *, exact: bool = False) -> np.ndarray:
        """The only input whose name begins so or, if ``exact``, is this."""
        (entry,) = [entry for entry in self._entries(name) if not exact or entry["name"] == name]
        return self._input(entry)

    def _entries(self, name: str) -> list[dict[str, Any]]:
        return [entry for entry in self.content["inputs"] if entry["name"].startswith(name)]

    def _input(self, entry: dict[str, Any]) -> np.ndarray:
        array = protocol.make_input(self.content["seed"], entry["j"], entry["shape"], entry["kind"])
        digest = protocol.digest(array)
        assert digest["sum"] == pytest.approx(entry["sum"], rel=1e-12), entry["name"]
        assert digest["dot"] == pytest.approx(entry["dot"], rel=1e-9, abs=1e-9), entry["name"]
        return array

    def check(self, expected: Any, actual: Any, where: str, *, gradient: bool = False) -> None:
        """Compare in this case's precision, with the tolerances that README.md suggests.

        Args:
            expected: A leaf of the file, or a dict of named gradients.
            actual: The tensor, array or number; a dict of tensors or ``None`` for gradients.
            where: Path of the entry below ``expected``, as the file's ``precision`` block writes it.
            gradient: Whether gradients are compared.
        """
        if isinstance(actual, dict):
            assert expected.keys() == actual.keys()
            for name, value in actual.items():
                self.check(expected[name], value, f"{where}.{name}", gradient=True)
        elif expected is None:
            assert actual is None, f"{where}: there should be no gradient at all"
        else:
            assert actual is not None, f"{where}: no gradient arrived"
            vanishes = where in self.content["precision"].get("zero_up_to_rounding", ())
            floor = 1e-6 if vanishes and self.dtype == torch.float32 else 1e-10 if vanishes else 0.0
            assert_close(expected, actual, self._tolerance(where, gradient), where, floor)

    def _tolerance(self, where: str, gradient: bool) -> float:
        if self.dtype == torch.float64:
            return 1e-7
        listed = self.content["precision"]["worst_float32_deviations"]
        worst = {entry["entry"]: entry["deviation"] for entry in listed}
        if where in worst:
            # Sums that cancel: two ways of adding up part by a few times the rounding of the original, most on small batches.
            return max(2e-3, 5 * worst[where])
        return 1e-4 if gradient else 1e-5


def cases(name: str, having: str = "") -> Any:
    """Parametrise a test, as the argument ``case``, over every case whose name begins so, in both precisions.

    Args:
        name: How ``case`` begins in the files that are meant.
        having: Beginning of a key that ``expected`` must have, for blocks that not all of them have.
    """
    files = sorted(HERE.glob("**/*.json"))
    if os.environ.get("HARNESS_GOLDEN"):
        files += sorted(Path(os.environ["HARNESS_GOLDEN"]).glob("**/*.json"))
    found = []
    for path in files:
        content = json.loads(path.read_text())
        if _matches(content, name, having):
            where = path.stem if path.parent == HERE else f"{path.parent.name}/{path.stem}"
            found += [
                pytest.param(Case(path, content, dtype), id=f"{where}-{precision}") for dtype, precision in PRECISIONS.items()
            ]
    assert found, f"no reference numbers for {name!r}"
    return pytest.mark.parametrize("case", found)


def _matches(content: Any, name: str, having: str) -> bool:
    if not isinstance(content, dict) or not str(content.get("case", "")).startswith(name):
        return False
    return any(key.startswith(having) for key in content["expected"])


def assert_close(expected: Any, actual: Any, tolerance: float, where: str, floor: float = 0.0) -> None:
    """Compare a leaf of a file: a digest, a (nested) list, or a number.

    Deviations are relative to the value (numbers), to the largest entry (lists) or to the L2 norm (digests), and may be as
    large as ``floor`` in any case.
    """
    array = _array(actual)
    if not isinstance(expected, dict):
        reference = np.asarray(expected, dtype=np.float64)
        _assert_within(reference, array.reshape(reference.shape), tolerance * np.abs(reference).max(initial=0) + floor, where)
        return
    rows = any(key.startswith("row_") for key in expected)
    measured = protocol.digest_rows(array) if rows else protocol.digest(array)
    for key, value in expected.items():
        if key == "shape":
            assert int(np.prod(value)) == array.size, f"{where}: shape"
            continue
        scale = {"head": "absmax", "absmax": "absmax"}.get(key, "row_l2" if key.startswith("row_") else "l2")
        bound = tolerance * np.asarray(expected.get(scale, measured[scale])) + floor
        _assert_within(value, measured[key], bound, f"{where}.{key}")


def _array(value: Any) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)


def _assert_within(expected: Any, actual: Any, bound: Any, where: str) -> None:
    deviation = np.abs(np.asarray(expected) - np.asarray(actual))
    assert np.all(deviation <= bound), f"{where}: {np.max(deviation)} from the reference, allowed {np.max(bound)}"
