"""The kit without pytest: the same checks, reported one by one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.testing.families.checks import FAMILY_CHECKS
from harness.testing.families.family import Family
from harness.testing.outcomes import CheckResult, result_of


def run_family_checks(family: Family) -> Iterator[CheckResult]:
    """Every check of a family, each reported as soon as it is done."""
    for check in FAMILY_CHECKS:
        yield result_of(check.name, check.description, partial(check.run, family))
