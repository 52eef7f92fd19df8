"""The kit without pytest: the same checks, reported one by one."""

from __future__ import annotations

from collections.abc import Iterator

from harness.registry.error_summary import summarise_error_with_location
from harness.testing.families.checks import FAMILY_CHECKS, FamilyCheck
from harness.testing.families.family import Family
from harness.testing.outcomes import CheckFailed, CheckResult, NotApplicable


def run_family_checks(family: Family) -> Iterator[CheckResult]:
    """Every check of a family, each reported as soon as it is done."""
    for check in FAMILY_CHECKS:
        yield _run_check(check, family)


def _run_check(check: FamilyCheck, family: Family) -> CheckResult:
    try:
        check.run(family)
    except CheckFailed as failure:
        return CheckResult(check.name, check.description, "failed", str(failure))
    except NotApplicable as reason:
        return CheckResult(check.name, check.description, "not applicable", str(reason))
    except Exception as error:  # noqa: BLE001  a stranger's family may raise anything
        message = f"expected no exception, got {summarise_error_with_location(error)}"
        return CheckResult(check.name, check.description, "failed", message)
    return CheckResult(check.name, check.description, "passed")
