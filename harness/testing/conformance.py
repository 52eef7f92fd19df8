"""The kit as a class of tests to inherit from. It needs no pytest to be imported, only to be run."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar
from unittest import SkipTest

from harness.testing.checks import CHECKS, Check
from harness.testing.outcomes import NotApplicable
from harness.testing.subject import Subject


class MethodConformance:
    """Everything that the harness expects of a method, one test for each check.

    A plugin's own tests inherit from it and name the method::

        class TestMine(MethodConformance):
            method = "mine"

    Attributes:
        method: Name of an installed method.
        preset: Its preset; the first if not given, as in a suite.
        config: Settings over the preset's, for instance to make networks small.
    """

    method: ClassVar[str]
    preset: ClassVar[str | None] = None
    config: ClassVar[Mapping[str, Any]] = {}

    _subject: ClassVar[Subject]

    @classmethod
    def subject(cls) -> Subject:
        """What is examined; the same object for all tests of the class."""
        if "_subject" not in vars(cls):
            cls._subject = Subject.named(cls.method, preset=cls.preset, config=cls.config)
        return cls._subject

    def test_conforms(self, check: Check) -> None:
        """The method passes the check, or the check does not apply."""
        try:
            check.run(self.subject())
        except NotApplicable as reason:
            raise SkipTest(str(reason)) from None

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each check (called by pytest)."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", CHECKS, ids=attrgetter("name"))
