"""How a check ends: it passes by returning, or it raises one of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor

from harness.registry.error_summary import summarise_error_with_location


class CheckFailed(AssertionError):
    """The method does not keep what it should; the message says what was expected and what came instead."""


class NotApplicable(Exception):
    """The check does not concern this method or this machine; the message says why."""


@dataclass(frozen=True)
class CheckResult:
    """How one check of one method ended.

    Attributes:
        check: Name of the check.
        description: What it checks, in one sentence.
        outcome: The outcome as it is shown.
        message: What was expected and what came instead, or why the check does not apply; may be empty when it passed.
    """

    check: str
    description: str
    outcome: Literal["passed", "failed", "not applicable"]
    message: str = ""


def result_of(name: str, description: str, run: Callable[[], None]) -> CheckResult:
    """How a check ends that is run now; whatever a stranger's code raises is a failure of the check.

    Args:
        name: Name of the check.
        description: What it checks, in one sentence.
        run: The check, bound to what it examines.
    """
    try:
        run()
    except CheckFailed as failure:
        return CheckResult(name, description, "failed", str(failure))
    except NotApplicable as reason:
        return CheckResult(name, description, "not applicable", str(reason))
    except Exception as error:  # noqa: BLE001  a stranger's code may raise anything
        return CheckResult(name, description, "failed", f"expected no exception, got {summarise_error_with_location(error)}")
    return CheckResult(name, description, "passed")


def require(condition: object, expected: str, got: object) -> None:
    """Fail unless the condition holds."""
    if not condition:
        raise CheckFailed(f"expected {expected}, got {got}")


def require_finite(values: Tensor, what: str) -> None:
    """Fail unless every number is finite."""
    bad = values[~torch.isfinite(values)]
    require(not len(bad), f"finite numbers for {what}", f"{len(bad)} of {values.numel()} that are not, such as {_first(bad)}")


def require_same(expected: Mapping[str, Tensor], got: Mapping[str, Tensor], why: str, *, tolerance: float = 0.0) -> None:
    """Fail unless two sets of numbers of the same names agree.

    Args:
        expected: Tensors by what they are called in the message.
        got: What was found, of the same structure.
        why: The end of a sentence that begins "expected the same numbers".
        tolerance: Largest difference, as a share of the largest expected number; 0 for bit by bit.
    """
    require(expected.keys() == got.keys(), f"the same numbers {why}", f"{_names(got)} instead of {_names(expected)}")
    for name, wanted in expected.items():
        if place := _difference(wanted, got[name], tolerance):
            raise CheckFailed(f"expected the same numbers {why}, got {name} {place}")


def differ(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether any number of two sets differs."""
    return one.keys() != other.keys() or any(_difference(one[name], other[name], 0.0) for name in one)


def _difference(wanted: Tensor, found: Tensor, tolerance: float) -> str:
    if wanted.shape != found.shape:
        return f"of shape {tuple(found.shape)} instead of {tuple(wanted.shape)}"
    wanted, found = wanted.detach().double().cpu(), found.detach().double().cpu()
    bound = tolerance * float(wanted.abs().max()) if wanted.numel() else 0.0
    wrong = ~torch.isclose(found, wanted, rtol=0, atol=bound, equal_nan=True)
    if not wrong.any():
        return ""
    where = cast(list[int], wrong.nonzero()[0].tolist())
    at = f"{where}: " if where else ""
    return f"{at}{float(found[wrong][0]):.6g} instead of {float(wanted[wrong][0]):.6g}"


def _first(values: Tensor) -> float | str:
    return float(values[0]) if len(values) else ""


def _names(mapping: Iterable[str]) -> str:
    return ", ".join(mapping) or "nothing"
