"""The conformance kit for methods that share their code with another one, which goes through all of it every day."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, ClassVar

import pytest

from harness.testing import CHECKS, MethodConformance

LONG = frozenset({"fresh_process", "memory", "learners", "device"})
"""Checks of what siblings share that take the longest: one starts a process, one trains with algorithms of each kind."""


class QuickConformance(MethodConformance):
    """Every check, one test for each; some are among the slow tests.

    Attributes:
        long: Names of these checks.
    """

    long: ClassVar[Set[str]] = LONG

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each check (called by pytest)."""
        if "check" in metafunc.fixturenames:
            slow = {check.name: pytest.mark.slow if check.name in self.long else () for check in CHECKS}
            metafunc.parametrize("check", [pytest.param(check, id=check.name, marks=slow[check.name]) for check in CHECKS])
