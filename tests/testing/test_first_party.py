"""Every method that comes with the harness passes its own conformance kit at full size; small ones are in its own tests."""

from __future__ import annotations

import pytest
from first_party import first_party_methods

from harness.testing import Subject, run_checks

METHODS = first_party_methods()


def failures(subject: Subject) -> list[str]:
    return [f"{result.check}: {result.message}" for result in run_checks(subject) if result.outcome == "failed"]


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_method_passes_as_a_suite_would_run_it(name: str) -> None:
    assert failures(Subject.named(name)) == []
