"""The settings of executors: a suite's ``executor`` block, checked against what each executor says that it has.

They say where runs are trained and not what is trained: none of them is part of a run.
"""

from __future__ import annotations

from harness.config import Config
from harness.errors import PluginError, UnknownNameError
from harness.planning.resolve import ResolvedSuite
from harness.planning.sources import ResolvedBlock
from harness.registry import Registry
from harness.suites.model import Suite
from harness.suites.validation import Problem, ValidationFailed, validate


def resolve_executors(suite: Suite, resolved: ResolvedSuite, registry: Registry) -> None:
    """Check the settings of every executor that the suite names, whichever of them will be used."""
    for name in suite.executor:
        with resolved.collecting():
            config = configure_executor(suite, name, registry)
            if config is not None:
                values = config.model_dump(mode="json")
                resolved.blocks.append(ResolvedBlock(("executor", name), values, [], f"default of executor {name!r}"))


def configure_executor(suite: Suite, name: str, registry: Registry) -> Config | None:
    """The settings of an executor: its defaults, and over them what the suite says; ``None`` if it has no settings.

    Raises:
        ValidationFailed: With everything that is wrong.
    """
    path, written = ("executor", name), suite.executor.get(name, {})
    try:
        description = registry.executor(name)
        model = registry.config_class(description) if description.config else None
    except (UnknownNameError, PluginError) as error:
        raise ValidationFailed(Problem(str(error), (path,))) from None
    if model is None:
        if written:
            raise ValidationFailed(Problem(f"executor {name!r} has no settings: leave them out", (path,)))
        return None
    return validate(model, written, lambda key: ((*path, *key),), f"executor {name!r}")
