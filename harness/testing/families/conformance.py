"""The kit as a class of tests to inherit from. It needs no pytest to be imported, only to be run."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar
from unittest import SkipTest

from harness.testing.families.checks import FAMILY_CHECKS, FamilyCheck
from harness.testing.families.family import Family
from harness.testing.outcomes import NotApplicable


class FamilyConformance:
    """Everything that the harness expects of an environment family, one test for each check.

    A plugin's own tests inherit from it and name the family::

        class TestMine(FamilyConformance):
            family = "mine"

    Attributes:
        family: Name of an installed environment family.
        config: Settings over the family's own example, for instance to examine another task.
    """

    family: ClassVar[str]
    config: ClassVar[Mapping[str, Any]] = {}

    _subject: ClassVar[Family]

    @classmethod
    def subject(cls) -> Family:
        """What is examined; the same object for all tests of the class."""
        if "_subject" not in vars(cls):
            cls._subject = Family.named(cls.family, cls.config)
        return cls._subject

    def test_conforms(self, check: FamilyCheck) -> None:
        """The family passes the check, or the check does not apply."""
        try:
            check.run(self.subject())
        except NotApplicable as reason:
            raise SkipTest(str(reason)) from None

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test of each check (called by pytest)."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", FAMILY_CHECKS, ids=attrgetter("name"))
