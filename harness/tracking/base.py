"""The interface of a tracker: where a run is followed while it trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from harness.config import TrackerConfig
from harness.spec import RunSpec

Ending = Literal["finished", "interrupted", "failed"]
"""How an attempt at a run ended. A run that was interrupted or failed may be begun again, and goes on from its checkpoint."""


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """What a tracker is told of a run before anything else.

    Attributes:
        kind: ``run``, or ``report`` for what is no run but the place of a suite's reports.
        name: Name for people, such as ``quick/n10/ppo_rnd/seed-3``.
        suite: Name of the suite, by which runs belong together.
        task: Name of the task; empty for reports, as are the method and the digests.
        method: Name of the method.
        seed: Seed of the run; ``None`` for reports.
        digest: Digest of all settings of the run.
        method_digest: Digest of the method's settings.
        folder: Folder in which a tracker may keep files of its own; the run's, if it is one.
        results: The results directory.
        step: Step of the checkpoint that the run goes on from; -1 if it begins anew. Later steps of earlier attempts are
            repeated, with the same numbers apart from times.
        config: The specification of the run, as JSON.
        provenance: Versions, machine, device and command, as JSON.
        id: What `RunTracker.begin` returned in an earlier attempt; ``None`` if there was none. It was read from a file that
            anybody may have changed.
    """

    kind: Literal["run", "report"] = "run"
    name: str
    suite: str
    task: str = ""
    method: str = ""
    seed: int | None = None
    digest: str = ""
    method_digest: str = ""
    folder: Path
    results: Path
    step: int = -1
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    provenance: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id: str | None = None

    @classmethod
    def of(cls, spec: RunSpec, folder: Path, results: Path, step: int, provenance: Mapping[str, Any]) -> TrackedRun:
        """What a tracker is told of a run of a suite; see the attributes for the arguments."""
        return cls(
            name=f"{spec.suite}/{spec.label}",
            suite=spec.suite,
            task=spec.task,
            method=spec.method,
            seed=spec.seed,
            digest=spec.digest,
            method_digest=spec.method_digest,
            folder=folder.absolute(),
            results=results.absolute(),
            step=step,
            config=spec.model_dump(mode="json"),
            provenance=provenance,
        )


class RunTracker(ABC):
    """The class that an `harness.registry.hooks.Tracker` names: it follows one attempt at one run.

    It lives in a process of its own, in which it may take its time, print, and change whatever it likes. It may raise
    anything: the run then goes on without it, after one notice.

    Args:
        config: The tracker's settings, an instance of the class that its description names.
    """

    files: Collection[Path] = ()
    """Files in the run's folder that an inline tracker writes and nobody else may change."""

    def __init__(self, config: TrackerConfig) -> None:
        self.config = config

    @abstractmethod
    def begin(self, run: TrackedRun) -> str | None:
        """Begin to follow a run, or go on where an earlier attempt ended.

        Args:
            run: The run, with the name by which an earlier attempt knew it.

        Returns:
            The name by which the tracker knows this run: letters, digits, ``_``, ``-`` and ``.``, at most 128. It is kept
            beside the run and given back if the run goes on later. ``None`` if there is nothing to go on with.
        """

    @abstractmethod
    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the numbers of an update.

        Args:
            step: Number of steps taken so far.
            metrics: Numbers by the names of their columns in ``progress.csv``.
        """

    def log_evaluation(self, step: int, episodes: Sequence[Mapping[str, float]]) -> None:
        """Take an evaluation; by default the means over its episodes are logged, the score as ``eval/mean_reward``.

        Args:
            step: Number of steps taken so far.
            episodes: What was measured of each episode: ``return``, ``length`` and what the task adds.
        """
        names = dict.fromkeys(name for episode in episodes for name in episode)
        means = {name: fmean(episode[name] for episode in episodes if name in episode) for name in names}
        self.log(step, {f"eval/mean_{'reward' if name == 'return' else name}": mean for name, mean in means.items()})

    def flush(self) -> None:
        """Make everything so far survive a kill, as the run does with a checkpoint; by default nothing is done."""
        return

    def add_report(self, folder: Path) -> None:
        """Keep a report, of a `TrackedRun` whose kind is ``report``; by default nothing is done.

        Args:
            folder: Folder of the report; ``index.html`` in it is the file to open first.
        """
        return

    def end(self, ending: Ending) -> None:
        """Finish; nothing follows. By default nothing is done."""
        return
