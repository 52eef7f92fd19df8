"""A plan: a suite, the runs that it stands for, and where each of their values comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.config import Config
from harness.errors import UnknownNameError
from harness.planning.executors import configure_executor
from harness.planning.sources import ResolvedBlock, Source, find_sources
from harness.planning.trackers import configure_tracker
from harness.registry import Registry
from harness.spec import RunSpec
from harness.suites.locations import Node
from harness.suites.model import Suite
from harness.suites.validation import ValidationFailed, combine_errors, to_suite_errors


@dataclass(frozen=True)
class Plan:
    """A suite that was resolved once, for every command that has to do with it.

    Attributes:
        suite: The suite at the scale that was asked for, with the tasks and methods that were asked for.
        runs: The runs in the order in which they should start; each comes after the one that it begins from.
        registry: The installed plugins with which names were resolved.
        tree: What was written, with the place of every value: the file, its profile, options of the command line.
        blocks: The settings of environments, algorithms and methods with the layers that gave them.
        file: The suite file; ``None`` for a suite built in Python.
        profile: Name of the profile, if one was asked for.
    """

    suite: Suite
    runs: tuple[RunSpec, ...]
    registry: Registry
    tree: Node
    blocks: tuple[ResolvedBlock, ...] = ()
    file: Path | None = None
    profile: str | None = None

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The source of every value, by its dotted key, such as ``methods.rnd.config.eta`` or ``steps``."""
        return find_sources(self.suite, self.tree, self.blocks)

    def source(self, key: str) -> Source:
        """Where a value comes from.

        Args:
            key: The dotted key of the value: ``tasks.TASK.environment.KEY``, ``methods.METHOD.algorithm.KEY``,
                ``methods.METHOD.config.KEY`` or a key of the suite itself.

        Raises:
            UnknownNameError: The plan has no such value.
        """
        if key not in self.sources:
            raise UnknownNameError("setting", key, self.sources)
        return self.sources[key]

    def first_run(self, method: str) -> RunSpec:
        """The first run of a method; all of them have the same settings of the method and of its algorithm."""
        return next(spec for spec in self.runs if spec.method == method)

    def executor_config(self, name: str) -> Config | None:
        """The settings of an executor: its defaults, and over them what the suite says; ``None`` if it has no settings.

        Raises:
            UnknownNameError: Nothing installed provides it.
            SuiteError: It has settings that must be given, and they are not.
        """
        self.registry.executor(name)
        try:
            return configure_executor(self.suite, name, self.registry)
        except ValidationFailed as failure:
            raise combine_errors(to_suite_errors(failure.problems, self.tree)) from None

    def tracker_settings(self, names: Sequence[str] = ()) -> Mapping[str, Mapping[str, Any]]:
        """The settings of the trackers that the suite names and of others, as JSON, by name.

        Args:
            names: Names of further trackers, for which the suite may have settings as well.

        Raises:
            UnknownNameError: Nothing installed provides one of them.
            SuiteError: It has settings that must be given, and they are not.
        """
        for name in names:
            self.registry.tracker(name)
        try:
            asked = dict.fromkeys((*self.suite.trackers, *names))
            return {name: configure_tracker(self.suite, name, self.registry).model_dump(mode="json") for name in asked}
        except ValidationFailed as failure:
            raise combine_errors(to_suite_errors(failure.problems, self.tree)) from None
