"""The kit without pytest: the same checks, reported one by one."""

from __future__ import annotations

from collections.abc import Iterator

from harness.registry.error_summary import summarise_error_with_location
from harness.testing.algorithms.checks import ALGORITHM_CHECKS
from harness.testing.algorithms.subject import AlgorithmSubject
from harness.testing.checks import CHECKS, Check
from harness.testing.outcomes import CheckFailed, CheckResult, NotApplicable
from harness.testing.subject import Subject


def run_checks(subject: Subject) -> Iterator[CheckResult]:
    """Every check of a method, each reported as soon as it is done."""
    for check in CHECKS:
        yield _run_check(check, subject)


def run_algorithm_checks(subject: AlgorithmSubject) -> Iterator[CheckResult]:
    """Every check of an algorithm, each reported as soon as it is done."""
    for check in ALGORITHM_CHECKS:
        yield _run_check(check, subject)


def _run_check(check: Check, subject: Subject | AlgorithmSubject) -> CheckResult:
    try:
        check.run(subject)
    except CheckFailed as failure:
        return CheckResult(check.name, check.description, "failed", str(failure))
    except NotApplicable as reason:
        return CheckResult(check.name, check.description, "not applicable", str(reason))
    except Exception as error:  # noqa: BLE001  a stranger's code may raise anything
        return CheckResult(
            check.name, check.description, "failed", f"expected no exception, got {summarise_error_with_location(error)}"
        )
    return CheckResult(check.name, check.description, "passed")
