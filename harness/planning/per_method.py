"""What differs between methods and tasks together: how a method's learner sees a task, and its settings on single tasks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from harness.errors import UnknownNameError
from harness.planning.resolve import ResolvedSuite, config_class, configure_environment, deep_merge
from harness.planning.sources import ResolvedBlock
from harness.registry import Registry
from harness.spec import Precision
from harness.suites.locations import KeyPath
from harness.suites.model import Suite
from harness.suites.validation import Problem, validate


def resolve_views(suite: Suite, method: str, tasks: Iterable[str], resolved: ResolvedSuite, registry: Registry) -> None:
    """Resolve tasks as a method's learner sees them, if the method changes anything in that."""
    changed = suite.methods[method].environment.settings
    for task in tasks if changed else ():
        if task in resolved.environments and (task, method) not in resolved.views:
            with resolved.collecting():
                family, config, _ = configure_environment(suite, task, registry, method)
                resolved.views[task, method] = family, config
    if changed:
        resolved.blocks.append(ResolvedBlock(("methods", method, "environment"), changed, [], "the suite"))


def resolve_precision(suite: Suite, method: str, resolved: ResolvedSuite) -> Precision:
    """The formats in which the networks of a method's runs compute; where there is no bonus, none is named for it."""
    own, shared = suite.methods[method].precision, suite.precision
    chosen = shared if own is None else own
    if own is not None:
        resolved.blocks.append(_precision_block(("methods", method, "precision"), own))
    return chosen if suite.methods[method].reward else chosen.model_copy(update={"bonus": Precision().bonus})


def suite_precision(suite: Suite) -> ResolvedBlock:
    """What the suite says for all methods, for the places that gave it."""
    return _precision_block(("precision",), suite.precision)


def _precision_block(path: KeyPath, precision: Precision) -> ResolvedBlock:
    formats = precision.model_dump(mode="json")
    return ResolvedBlock(path, formats, [], "default of the suite", scalar_keys=tuple(formats))


def tailor_reward(suite: Suite, method: str, resolved: ResolvedSuite, registry: Registry) -> None:
    """Resolve a method on each task of the suite, if its settings differ between them."""
    block, shared, path = suite.methods[method], resolved.rewards.get(method), ("methods", method, "config_by_task")
    if not block.config_by_task or shared is None:
        return
    for task in block.config_by_task.keys() - suite.all_tasks.keys():
        resolved.problems.append(Problem(str(UnknownNameError("task", task, suite.all_tasks)), ((*path, task),)))
    model = config_class(registry, registry.method, shared.name, (("methods", method, "reward"),))
    configs: dict[str, dict[str, Any]] = {}
    for task in suite.all_tasks:
        with resolved.collecting():
            merged = deep_merge(shared.config, block.config_by_task.get(task, {}))
            config = validate(model, merged, partial(_source_paths, method, task), f"method {shared.name!r}")
            configs[task] = config.model_dump(mode="json")
    differing = sorted({key for values in block.config_by_task.values() for key in values})
    table = {task: {key: config[key] for key in differing if key in config} for task, config in configs.items()}
    for task, config in configs.items():
        resolved.tailored[task, method] = shared.model_copy(update={"config": config, "config_by_task": table})
    resolved.blocks.append(ResolvedBlock(path, block.config_by_task, [], "the suite"))


def _source_paths(method: str, task: str, key: KeyPath) -> tuple[KeyPath, ...]:
    return (("methods", method, "config_by_task", task, *key), ("methods", method, "config", *key))
