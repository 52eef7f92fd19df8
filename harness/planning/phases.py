"""A method's phases: from what a preset and a suite say to the `PhaseSpec`s of one run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from harness.config import AlgorithmConfig
from harness.errors import suggest
from harness.registry.hooks import Preset
from harness.spec import Combination, PhaseSpec
from harness.suites.locations import KeyPath
from harness.suites.model import MethodBlock, PhaseBlock
from harness.suites.validation import Problem, ValidationFailed, validate

PhaseBlocks = Mapping[str, PhaseBlock]

_ROUNDING = 1e-9


def resolve_phases(block: MethodBlock, preset: Preset, path: KeyPath) -> dict[str, PhaseBlock]:
    """The phases of a method by name, the suite's laid over the preset's.

    Args:
        block: The method as the suite has it.
        preset: The preset of the method.
        path: Where the block stands.

    Raises:
        ValidationFailed: With every setting that is wrong.
    """
    merged: dict[str, dict[str, Any]] = {name: dict(phase) for name, phase in preset.phases.items()}
    problems: list[Problem] = []
    for name, phase in block.phases.items():
        if phase is None and name not in preset.phases:
            known = suggest(name, preset.phases)
            problems.append(
                Problem(f"null drops a phase of the preset, and there is none of this name{known}", ((*path, name),))
            )
        elif phase is None:
            del merged[name]
        else:
            merged[name] = {**merged.get(name, {}), **_replace_length(phase)}
    phases: dict[str, PhaseBlock] = {}
    for name, settings in merged.items():
        try:
            phases[name] = validate(PhaseBlock, settings, lambda key, name=name: ((*path, name, *key), path))
        except ValidationFailed as failure:
            problems.extend(failure.problems)
    if problems:
        raise ValidationFailed(*problems)
    return phases


def _replace_length(phase: Mapping[str, Any]) -> dict[str, Any]:
    """A suite that gives a phase steps means them instead of the preset's share, and the other way round."""
    sizes = {"steps", "share"}
    given = sizes & phase.keys()
    return {**(dict.fromkeys(sizes) if given else {}), **phase}


def phase_problems(
    phases: PhaseBlocks, path: KeyPath, *, combine: Combination, algorithm: tuple[str, AlgorithmConfig], from_snapshot: bool
) -> Iterator[Problem]:
    """What is wrong with phases, however long they are.

    Args:
        phases: Phases of one method.
        path: Where they stand.
        combine: The method's combination.
        algorithm: Name and configuration of the algorithm.
        from_snapshot: Whether the runs begin from a snapshot.
    """
    if not phases:
        return
    unsized = [name for name, phase in phases.items() if phase.steps is None and phase.share is None]
    if len(unsized) > 1:
        names = " and ".join(map(repr, unsized))
        message = f"phases {names} have no size, and only one can take the rest: give the others steps or a share"
        yield Problem(message, ((*path, unsized[1]), path))
    name, config = algorithm
    known = config.resettable_parts
    first = next(iter(phases))
    for phase, block in phases.items():
        here = (*path, phase)
        if foreign := [part for part in block.reset if part not in known]:
            message = f"algorithm {name!r} has no {foreign[0]} to reset, only: {', '.join(sorted(known))}"
            yield Problem(message, ((*here, "reset"), here, path))
        if phase == first and block.reset and not from_snapshot:
            message = "the first phase begins with everything new: 'reset' has a meaning in later ones"
            yield Problem(message, ((*here, "reset"), here, path))
        if not any(_weights(block, combine)):
            yield Problem("both weights are 0, so that there is nothing to learn from", (here, path))
        if block.once_per is not None:
            yield from _sharing_problems(phases, phase, path, from_snapshot=from_snapshot)


def _sharing_problems(phases: PhaseBlocks, phase: str, path: KeyPath, *, from_snapshot: bool) -> Iterator[Problem]:
    places = ((*path, phase, "once_per"), (*path, phase), path)
    if phase != next(iter(phases)):
        yield Problem("only the first phase can be shared: the others begin where it ended", places)
    elif len(phases) == 1:
        yield Problem("there is no other phase to begin where this one ended: add one, or remove 'once_per'", places)
    elif from_snapshot:
        yield Problem("runs that begin from a snapshot share no phase: remove 'once_per' or 'snapshot'", places)


def phase_length_problems(phases: PhaseBlocks, path: KeyPath, *, task: str, steps: int, iteration: int) -> Iterator[Problem]:
    """What is wrong with the lengths of phases in a run.

    Args:
        phases: Phases of one method.
        path: Where they stand.
        task: Name of the run's task.
        steps: Length of the run in steps.
        iteration: Steps of one iteration of the algorithm, between two of which a phase may begin.
    """
    lengths = dict(zip(phases, phase_lengths(phases, steps), strict=True))
    total = sum(lengths.values())
    about = f"on task {task!r}, "
    for name, size in lengths.items():
        places = ((*path, name, "steps"), (*path, name, "share"), (*path, name), path)
        if size <= 0:
            others = " and ".join(repr(other) for other in phases if other != name)
            yield Problem(f"{about}{others} of {steps:,} steps leave none for {name!r}: shorten them", (path,))
        elif size < iteration:
            message = f"{about}{size:,} steps are fewer than one iteration, between two of which phases change: {iteration:,}"
            yield Problem(message, places)
    if total != steps and min(lengths.values()) > 0:
        message = f"{about}the phases add up to {total:,} of {steps:,} steps: leave out the size of one, to take the rest"
        yield Problem(message, (path,))


def phase_specs(phases: PhaseBlocks, combine: Combination, steps: int) -> tuple[PhaseSpec, ...]:
    """The phases of a run of so many steps, for which `phase_length_problems` found nothing."""
    return tuple(
        PhaseSpec(
            name=name,
            steps=size,
            extrinsic_weight=_weights(phases[name], combine)[0],
            intrinsic_weight=_weights(phases[name], combine)[1],
            train_reward=phases[name].train_reward,
            reset=phases[name].reset,
        )
        for name, size in zip(phases, phase_lengths(phases, steps), strict=True)
    )


def phase_lengths(phases: PhaseBlocks, steps: int) -> list[int]:
    """Steps of each phase in a run; what is left, which may be nothing or less, goes to the one without a size."""
    found = {name: phase.steps or round((phase.share or 0) * steps) for name, phase in phases.items()}
    rest = [name for name, phase in phases.items() if phase.steps is None and phase.share is None]
    if not rest and abs(sum(phase.share or 0 for phase in phases.values()) - 1) < _ROUNDING:
        rest = list(phases)[-1:]  # shares of the whole, of which each was rounded
    if rest:
        found[rest[0]] = steps - sum(size for name, size in found.items() if name != rest[0])
    return list(found.values())


def shared_phase_key(phases: PhaseBlocks) -> str | None:
    """The environment's key by which runs share their first phase, if they do."""
    return next((phase.once_per for phase in phases.values()), None)


def differing_keys(one: Mapping[str, Any], other: Mapping[str, Any], aside: Collection[str]) -> list[str]:
    """The keys in which two configurations differ, some aside."""
    return [key for key in {**one, **other} if key not in aside and one.get(key) != other.get(key)]


def _weights(block: PhaseBlock, combine: Combination) -> tuple[float, float]:
    extrinsic, intrinsic = block.extrinsic_weight, block.intrinsic_weight
    return (
        combine.extrinsic_weight if extrinsic is None else extrinsic,
        combine.intrinsic_weight if intrinsic is None else intrinsic,
    )
