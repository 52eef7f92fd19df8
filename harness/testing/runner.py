"""The kit without pytest: the same checks, reported one by one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.testing.algorithms.checks import ALGORITHM_CHECKS
from harness.testing.algorithms.subject import AlgorithmSubject
from harness.testing.checks import CHECKS
from harness.testing.outcomes import CheckResult, result_of
from harness.testing.subject import Subject


def run_checks(subject: Subject) -> Iterator[CheckResult]:
    """Every check of a method, each reported as soon as it is done."""
    for check in CHECKS:
        yield result_of(check.name, check.description, partial(check.run, subject))


def run_algorithm_checks(subject: AlgorithmSubject) -> Iterator[CheckResult]:
    """Every check of an algorithm, each reported as soon as it is done."""
    for check in ALGORITHM_CHECKS:
        yield result_of(check.name, check.description, partial(check.run, subject))
