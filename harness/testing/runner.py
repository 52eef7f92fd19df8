"""The kit without pytest: the same checks, told one by one."""

from __future__ import annotations

from collections.abc import Iterator

from harness.causes import one_line_with_place
from harness.testing.checks import CHECKS, Check
from harness.testing.outcomes import Failed, NotApplicable, Result
from harness.testing.subject import Subject


def examine(subject: Subject) -> Iterator[Result]:
    """Every check of a method, each told as soon as it is done."""
    for check in CHECKS:
        yield _examine(check, subject)


def _examine(check: Check, subject: Subject) -> Result:
    try:
        check.hold(subject)
    except Failed as failure:
        return Result(check.name, check.promise, "failed", str(failure))
    except NotApplicable as reason:
        return Result(check.name, check.promise, "not applicable", str(reason))
    except Exception as error:  # noqa: BLE001  a stranger's method may raise anything
        return Result(check.name, check.promise, "failed", f"expected no exception, got {one_line_with_place(error)}")
    return Result(check.name, check.promise, "passed")
