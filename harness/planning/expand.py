"""From a suite to its plan: every setting resolved, every combination checked, one `RunSpec` for each run.

Whether method, algorithm and environment agree on spaces (such as an algorithm for continuous actions on discrete ones)
shows only when an environment is made; whoever makes it checks that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from harness.planning.compatibility import (
    action_problems,
    kind_problems,
    observation_problems,
    precision_problems,
    run_length_problems,
)
from harness.planning.executors import resolve_executors
from harness.planning.per_method import resolve_precision, resolve_views, suite_precision, tailor_reward
from harness.planning.phases import phase_length_problems, phase_lengths, phase_problems, phase_specs, shared_phase_key
from harness.planning.plan import Plan
from harness.planning.pretraining import group_tasks, with_pretraining
from harness.planning.replay import replay_settings
from harness.planning.resolve import (
    ResolvedSuite,
    resolve_algorithm,
    resolve_environment,
    resolve_method_phases,
    resolve_normalisation,
    resolve_reward,
)
from harness.planning.trackers import resolve_trackers
from harness.registry import Registry, installed
from harness.spec import AlgorithmSpec, EnvironmentSpec, RunSpec
from harness.suites.locations import Node
from harness.suites.model import Suite
from harness.suites.validation import Problem, combine_errors, to_suite_errors

MAX_RUNS = 100_000
MAX_PAIRS = 10_000
"""Pairs of task and method, each of which is resolved and checked by itself."""

TWO_CRITICS_ONLY = ("intrinsic_gamma", "episodic", "last_step")


def expand(suite: Suite, registry: Registry | None = None, tree: Node | None = None) -> Plan:
    """The plan of a suite.

    All tasks and methods with the first seed come before any with the second, so that a suite that is cut short leaves a
    complete comparison on fewer seeds. Each run comes after the one that it begins from. No disk is touched: where a method
    begins from a ``snapshot``, its runs begin from nothing until `harness.planning.snapshots.resolve_snapshots`.

    Args:
        suite: The suite, read from a file or built in Python.
        registry: Where names are looked up; what is installed by default.
        tree: What was written, for the places that errors name; the suite itself if it was built in Python.

    Raises:
        SuiteError: A name, a setting or a combination is wrong.
    """
    tree = tree or Node.of(suite.model_dump(mode="json", exclude_unset=True))
    registry = registry or installed()
    if problem := _too_large(suite):
        raise combine_errors(to_suite_errors([problem], tree))
    resolved = _resolve(suite, registry)
    if resolved.problems:
        raise combine_errors(to_suite_errors(resolved.problems, tree))
    pairs = [(task, method) for task in suite.tasks for method in suite.methods]
    firsts = [_run_spec(suite, resolved, task, method, suite.seeds[0]) for task, method in pairs]
    firsts = with_pretraining(firsts, resolved.task_groups, partial(_run_spec, suite, resolved))
    runs = [_with_seed(first, seed) for seed in suite.seeds for first in firsts]
    return Plan(suite, tuple(runs), registry, tree, tuple(resolved.blocks))


def _too_large(suite: Suite) -> Problem | None:
    """Why a suite is refused before any of it is resolved, which takes time for each pair of task and method."""
    tasks, methods, seeds = len(suite.tasks), len(suite.methods), len(suite.seeds)
    remedy = "split the suite, or take part of it with --task, --method and --seeds"
    if tasks * methods * seeds > MAX_RUNS:
        parts = " x ".join([_counted(tasks, "task"), _counted(methods, "method"), _counted(seeds, "seed")])
        message = f"{tasks * methods * seeds:,} runs ({parts}) are more than {MAX_RUNS:,}: {remedy}"
        return Problem(message, (("seeds",),))
    if tasks * methods > MAX_PAIRS:
        message = f"{tasks * methods:,} pairs of task and method are more than {MAX_PAIRS:,}: {remedy}"
        return Problem(message, (("tasks",),))
    return None


def _with_seed(spec: RunSpec, seed: int) -> RunSpec:
    """The same run with another seed, as is the run that it begins from; whatever does not depend on the seed is shared."""
    update: dict[str, Any] = {"seed": seed}
    if spec.start is not None:
        path = str(PurePosixPath(spec.start.path).with_name(f"seed-{seed}"))
        update["start"] = spec.start.model_copy(update={"path": path})
    return spec.model_copy(update=update)


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _resolve(suite: Suite, registry: Registry) -> ResolvedSuite:
    resolved = ResolvedSuite()
    resolve_executors(suite, resolved, registry)
    resolve_trackers(suite, resolved, registry)
    resolved.blocks.append(suite_precision(suite))
    for task in suite.tasks:
        resolved.add(resolved.environments, task, partial(resolve_environment, suite, task, resolved, registry))
        if task in resolved.environments:
            resolved.normalisations[task] = resolve_normalisation(suite, task, resolved)
    for method in suite.methods:
        resolved.add(resolved.algorithms, method, partial(resolve_algorithm, suite, method, resolved, registry))
        resolved.add(resolved.rewards, method, partial(resolve_reward, suite, method, resolved, registry))
        resolved.add(resolved.phases, method, partial(resolve_method_phases, suite, method, resolved, registry))
        resolved.precisions[method] = resolve_precision(suite, method, resolved)
        resolve_views(suite, method, suite.tasks, resolved, registry)
        tailor_reward(suite, method, resolved, registry)
        if method in resolved.algorithms:
            resolved.problems.extend(_incompatibilities(suite, method, resolved, registry))
    resolved.problems.extend(_short_run_problems(suite, resolved))
    resolved.problems.extend(_all_phase_problems(suite, resolved))
    if not resolved.problems:  # what follows compares whole runs
        _resolve_task_groups(suite, resolved, registry)
    return resolved


def _run_spec(suite: Suite, resolved: ResolvedSuite, task: str, method: str, seed: int) -> RunSpec:
    name, algorithm = resolved.algorithms[method]
    family, environment = resolved.environment_of(task, method)
    reward, steps = resolved.reward_on(task, method), _steps_of_task(suite, task)
    return RunSpec(
        suite=suite.suite,
        task=task,
        method=method,
        seed=seed,
        environment=EnvironmentSpec(family=family, config=environment.model_dump(mode="json")),
        algorithm=AlgorithmSpec(name=name, config=algorithm.model_dump(mode="json")),
        reward=reward,
        steps=steps,
        evaluation=suite.evaluation,
        checkpoint_every=suite.checkpoint.every or suite.evaluation.every,
        checkpoint_minutes=suite.checkpoint.minutes,
        normalise=resolved.normalisations.get(task),
        precision=resolved.precisions[method],
        phases=phase_specs(resolved.phases[method], reward.combine, steps) if reward else (),
        **replay_settings(suite.checkpoint, environment),
    ).bounded


# --------------------------------------------------------------------------------------------------------------------
# Combinations
# --------------------------------------------------------------------------------------------------------------------
def _incompatibilities(suite: Suite, method: str, resolved: ResolvedSuite, registry: Registry) -> Iterator[Problem]:
    """Where the method, the algorithm and the way of combining them do not go together."""
    algorithm, config = resolved.algorithms[method]
    reward, path = resolved.rewards.get(method), ("methods", method)
    described = registry.method(reward.name) if reward else None
    environments = resolved.environments_of(method)
    yield from action_problems(method, described, algorithm, config, environments, registry)
    yield from run_length_problems(suite, method, config)
    yield from precision_problems(method, algorithm, config, resolved.precisions[method])
    if reward is None or described is None:
        return
    yield from observation_problems(method, reward, environments, registry)
    yield from kind_problems(method, described, algorithm, config, environments, registry)
    mode, modes = reward.combine.mode, sorted(config.combine_modes)
    if mode not in modes:
        message = f"algorithm {algorithm!r} cannot combine rewards by {mode!r}: write 'combine: {modes[0]}'"
        yield Problem(message, ((*path, "combine", "mode"), (*path, "combine")))
    for key in TWO_CRITICS_ONLY if mode != "two_critics" else ():
        if key in suite.methods[method].combine:
            yield Problem(f"has no effect with mode {mode!r}, only with 'two_critics'", ((*path, "combine", key),))
    if mode != "sum" and "normaliser_start" in suite.methods[method].combine:
        yield Problem(f"has no effect with mode {mode!r}, only with 'sum'", ((*path, "combine", "normaliser_start"),))


def _short_run_problems(suite: Suite, resolved: ResolvedSuite) -> Iterator[Problem]:
    """Runs that end before an on-policy algorithm's first update."""
    configs = [config for _, config in resolved.algorithms.values() if config.kind == "on_policy"]
    if not configs:
        return
    longest = max(configs, key=lambda config: config.steps_per_iteration)
    least = longest.steps_per_iteration
    for name in suite.tasks:
        steps = _steps_of_task(suite, name)
        if steps < least:
            rollout = f"one rollout of n_envs x n_steps = {longest.n_envs} x {least // longest.n_envs} = {least} steps"
            message = f"{steps} steps are fewer than {rollout}: take more steps or a smaller rollout"
            yield Problem(message, (("tasks", name, "steps"), ("steps",)))


def _all_phase_problems(suite: Suite, resolved: ResolvedSuite) -> Iterator[Problem]:
    for method, phases in resolved.phases.items():
        reward, algorithm, path = resolved.rewards.get(method), resolved.algorithms.get(method), ("methods", method, "phases")
        if reward is None or algorithm is None or not phases:
            continue
        starts = suite.methods[method].snapshot is not None
        problems = [*phase_problems(phases, path, combine=reward.combine, algorithm=algorithm, from_snapshot=starts)]
        yield from problems
        for task in () if problems else suite.tasks:
            yield from phase_length_problems(
                phases, path, task=task, steps=_steps_of_task(suite, task), iteration=algorithm[1].steps_per_iteration
            )


def _steps_of_task(suite: Suite, task: str) -> int:
    return suite.all_tasks[task].steps or suite.steps


# --------------------------------------------------------------------------------------------------------------------
# Runs that begin from others
# --------------------------------------------------------------------------------------------------------------------
def _resolve_task_groups(suite: Suite, resolved: ResolvedSuite, registry: Registry) -> None:
    """Which tasks share their first phase, for each method that says so; of all tasks, whichever were asked for."""
    group_keys = {method: key for method, phases in resolved.phases.items() if (key := shared_phase_key(phases))}
    for task in suite.all_tasks.keys() - suite.tasks.keys() if group_keys else ():
        resolved.add(resolved.environments, task, partial(resolve_environment, suite, task, resolved, registry))
    for method, key in group_keys.items():
        resolve_views(suite, method, suite.all_tasks, resolved, registry)
        known = resolved.environments_of(method)
        environments = {task: known[task] for task in suite.all_tasks if task in known}
        phases = resolved.phases[method]
        path = ("methods", method, "phases", next(iter(phases)), "once_per")
        lengths = {task: phase_lengths(phases, _steps_of_task(suite, task))[0] for task in environments}
        if suite.methods[method].config_by_task:
            message = "tasks that share a phase share the method's settings in it: leave out once_per or config_by_task"
            resolved.problems.append(Problem(message, (path, ("methods", method, "config_by_task"))))
        resolved.add(resolved.task_groups, method, partial(group_tasks, environments, key, lengths, path))
