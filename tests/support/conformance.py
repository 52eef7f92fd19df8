"""The conformance kit for methods that share their code with another one, which goes through all of it every day."""

from __future__ import annotations

from typing import Any

import pytest

from harness.testing import CHECKS, MethodConformance

LONG = frozenset({"fresh_process", "memory", "learners", "device"})
"""Checks of what siblings share that take the longest: one starts a process, one trains with algorithms of each kind."""


class QuickConformance(MethodConformance):
    """Every check, one test for each; those that take seconds are among the slow tests."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each check (called by pytest)."""
        if "check" in metafunc.fixturenames:
            checks = [
                pytest.param(check, id=check.name, marks=pytest.mark.slow if check.name in LONG else ()) for check in CHECKS
            ]
            metafunc.parametrize("check", checks)
