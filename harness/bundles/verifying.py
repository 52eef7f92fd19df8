"""A random share of a bundle's runs, trained again: are the numbers the same?"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from pydantic import ValidationError

from harness.bundles.comparison import Verified, compare, last_score
from harness.bundles.crosschecks import PackedRun, contradictions, packed_runs, relative
from harness.bundles.unpacking import unpacked
from harness.errors import HarnessError, ResultsError, UserError
from harness.execution.capacity import default_workers
from harness.execution.events import OnRunEvent, Outcome
from harness.execution.executor import ExecutionOptions, load_executor
from harness.execution.preflight import check_device
from harness.execution.stopping import StopRequest
from harness.registry import Registry
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable
from harness.spec import RunSpec


@dataclass(frozen=True)
class Verification:
    """What came of a bundle.

    Attributes:
        digest: What names the bundle's content.
        seed: The seed that the runs were drawn with.
        finished: Number of its finished runs, of which a share was drawn.
        contradictions: A line for each thing in it that cannot be as it is written.
        untrainable: A line for each of the finished runs that cannot be trained here, with the reason; none of them was drawn.
        runs: What came of each run that was drawn.
        interrupted: Whether training was stopped before its end.
    """

    digest: str
    seed: int
    finished: int
    contradictions: Sequence[str]
    untrainable: Sequence[str]
    runs: Sequence[Verified]
    interrupted: bool = False

    @property
    def good(self) -> bool:
        """Whether nothing contradicts itself, and every run that was drawn is right; at least one must have been."""
        return not self.contradictions and bool(self.runs) and all(run.good for run in self.runs)


OnDrawn = Callable[[Sequence[PackedRun]], None]


def verify(
    bundle: Path,
    registry: Registry,
    *,
    share: float,
    seed: int,
    workers: int | None = None,
    device: str = "auto",
    on_drawn: OnDrawn,
    on_event: OnRunEvent,
    stop: StopRequest,
) -> Verification:
    """Check a bundle against itself, and train a random share of its finished runs again in a temporary folder.

    Args:
        bundle: The bundle; it is only read.
        registry: What is installed.
        share: Share of the runs to train, above 0 and at most 1; at least one run is.
        seed: Seed of the draw.
        workers: Number of runs at a time; ``None`` for one per core.
        device: ``auto``, ``cpu`` or ``cuda``.
        on_drawn: Told which runs are about to be trained.
        on_event: Takes the events of the runs, in this thread.
        stop: Once it is made, runs stop and what is finished is compared.

    Raises:
        UserError: The file is no bundle that can be used, holds no finished run, or the device is not there.
    """
    if not 0 < share <= 1:
        raise UserError(f"--share {share:g}: expected a number above 0 and at most 1, such as 0.1")
    check_device(device)
    with unpacked(bundle) as found, tempfile.TemporaryDirectory(prefix="harness-verify-") as place:
        runs, unusable = packed_runs(found.folder)
        wrong = [*unusable, *contradictions(found.folder, runs)]
        finished = [run for run in runs if run.record.status.state == "finished"]
        if not finished:
            raise ResultsError(f"{bundle}: holds no finished run that can be read, so there is nothing to train again")
        parents = {(run.record.digest, run.record.spec.seed): run for run in finished}
        obstacles = {run.name: _obstacle(run.record.spec, registry, parents) for run in finished}
        able = [run for run in finished if not obstacles[run.name]]
        drawn = _draw(able, share, seed)
        on_drawn(drawn)
        trained = _train(drawn, parents, registry, Path(place), workers, device, on_event, stop)
        verified = [
            _verify(run, RunFolder.of(run.record.spec, Path(place)), outcome, finished)
            for run in drawn
            if (outcome := trained[run.record.spec.path]).ending != "interrupted"
        ]
        return Verification(
            digest=found.digest,
            seed=seed,
            finished=len(finished),
            contradictions=[relative(line, found.folder) for line in wrong],
            untrainable=[f"{name}: {reason}" for name, reason in obstacles.items() if reason],
            runs=verified,
            interrupted=len(verified) < len(drawn),
        )


def _draw(runs: Sequence[PackedRun], share: float, seed: int) -> list[PackedRun]:
    """A random share, at least one, in the order of names."""
    ordered = sorted(runs, key=lambda run: run.name)
    chosen = random.Random(seed).sample(range(len(ordered)), min(ceil(share * len(ordered)), len(ordered)))
    return [ordered[index] for index in sorted(chosen)]


def _parent(spec: RunSpec, runs: Mapping[tuple[str, int], PackedRun]) -> PackedRun | None:
    """The run in the bundle from which another begins."""
    return None if spec.begins_from is None else runs.get(spec.begins_from)


def _obstacle(spec: RunSpec, registry: Registry, runs: Mapping[tuple[str, int], PackedRun]) -> str:
    """Why a run cannot be trained here, in a sentence; empty where nothing is known to keep it from that."""
    try:
        environment, algorithm = registry.environment(spec.environment.family), registry.algorithm(spec.algorithm.name)
        registry.config_class(environment).model_validate(spec.environment.config)
        registry.config_class(algorithm).model_validate(spec.algorithm.config)
        if spec.reward is not None:
            registry.config_class(registry.method(spec.reward.name)).model_validate(spec.reward.config)
    except HarnessError as error:
        return " ".join(str(error).split())
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}".lstrip(": ")
    if spec.start is None:
        return ""
    parent = _parent(spec, runs)
    if parent is None:
        return f"begins from run {spec.start.digest}, which is not in the bundle"
    return _obstacle(parent.record.spec, registry, runs) if parent.record.spec.start != spec.start else "begins from itself"


def _train(
    drawn: Sequence[PackedRun],
    parents: Mapping[tuple[str, int], PackedRun],
    registry: Registry,
    place: Path,
    workers: int | None,
    device: str,
    on_event: OnRunEvent,
    stop: StopRequest,
) -> dict[str, Outcome]:
    """Train runs, and those that they begin from, below a folder; the outcome of each by its path."""
    todo: dict[str, RunSpec] = {}
    for run in drawn:
        _add(run.record.spec, parents, todo)
    if not todo:
        return {}
    specs = list(todo.values())
    options = ExecutionOptions(place, workers or default_workers(specs), device, stop=stop)
    outcomes = load_executor("local", registry).execute(specs, options, on_event)
    return {outcome.spec.path: outcome for outcome in outcomes}


def _add(spec: RunSpec, parents: Mapping[tuple[str, int], PackedRun], todo: dict[str, RunSpec]) -> None:
    if spec.path in todo:
        return
    if spec.start is not None and (parent := _parent(spec, parents)) is not None:
        _add(parent.record.spec, parents, todo)
        spec = spec.model_copy(update={"start": spec.start.model_copy(update={"path": parent.record.spec.path})})
    todo[spec.path] = spec


def _verify(run: PackedRun, folder: RunFolder, outcome: Outcome, finished: Sequence[PackedRun]) -> Verified:
    if outcome.ending != "finished":
        return Verified(run.name, "failed", (), outcome.error)
    try:
        return compare(run, folder, _other_scores(run, finished))
    except Unreadable as error:
        return Verified(run.name, "failed", (), str(error))


def _other_scores(run: PackedRun, finished: Sequence[PackedRun]) -> list[float]:
    """The scores of the other seeds of a run's cell."""
    cell = (other for other in finished if other.folder.path.parent == run.folder.path.parent and other is not run)
    scores = [last_score(other.folder) for other in cell if other.record.digest == run.record.digest]
    return [score for score in scores if score is not None]
