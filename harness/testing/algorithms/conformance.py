"""The kit for algorithms as a class of tests to inherit from. It needs no pytest to be imported, only to be run."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar
from unittest import SkipTest

from harness.testing.algorithms.checks import ALGORITHM_CHECKS
from harness.testing.algorithms.subject import AlgorithmSubject
from harness.testing.checks.check import Check
from harness.testing.outcomes import NotApplicable


class AlgorithmConformance:
    """Everything that the harness expects of an algorithm, one test for each check.

    A plugin's own tests inherit from it and name the algorithm::

        class TestMine(AlgorithmConformance):
            algorithm = "mine"

    Attributes:
        algorithm: Name of an installed algorithm.
        config: Settings over the defaults, for instance to make networks small.
    """

    algorithm: ClassVar[str]
    config: ClassVar[Mapping[str, Any]] = {}

    def test_conforms(self, check: Check) -> None:
        """The algorithm passes the check, or the check does not apply."""
        try:
            check.run(AlgorithmSubject.named(self.algorithm, config=self.config))
        except NotApplicable as reason:
            raise SkipTest(str(reason)) from None

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each check (called by pytest)."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", ALGORITHM_CHECKS, ids=attrgetter("name"))
