"""One run from its `RunSpec` to its score: iterate, log, evaluate, save; from the beginning or from the newest checkpoint.

The same spec gives the same files on one machine and one torch build, times aside, however often the run was saved or killed
on the way. Everything the next iteration depends on is in the checkpoint; how environments come back is
`harness.training.environment_state`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.algorithms import randomness
from harness.errors import ResultsError, RunError
from harness.registry import installed
from harness.runs.fencing import publishing
from harness.runs.folder import FolderState, RunFolder, RunRecord, RunStatus, now
from harness.runs.kept import kept_step
from harness.runs.progress import ReportProgress, RunProgress
from harness.spec import SAVES_STATE, RunSpec, StartSpec
from harness.tracking.base import Ending, TrackedRun
from harness.tracking.followers import Followers
from harness.training import checkpoints
from harness.training.assembly import Assembly, assemble
from harness.training.costs import CostMeter
from harness.training.devices import choose_device
from harness.training.environment_state import EnvironmentState, refuse_runs_with_cuts
from harness.training.evaluation import evaluate
from harness.training.own_files import OwnFiles
from harness.training.phases import PhaseSchedule
from harness.training.provenance import provenance
from harness.training.reporting import ProgressReporter
from harness.training.run_log import RunLog
from harness.training.soundness import SoundnessCheck, explained_failures
from harness.training.start import load_start_checkpoint
from harness.training.visits import VisitCounter

REPORT_SECONDS = 0.25
"""Shortest time between two reports of progress."""

_LOOK_SECONDS = 1.0
"""Shortest time between two looks at whether the run's files are still there."""


def train(
    spec: RunSpec,
    results: Path,
    *,
    device: str = "auto",
    report: ReportProgress | None = None,
    fresh: bool = False,
    stop: Callable[[], bool] | None = None,
    trackers: Mapping[str, Mapping[str, Any]] | None = None,
) -> RunStatus:
    """Train a run to its end or until it is to stop, or return at once if it is finished.

    Args:
        spec: Specification of the run.
        results: The results directory; the run's own folder below it is created.
        device: ``auto``, ``cpu`` or ``cuda``.
        report: Called with the run's progress now and then, and at the end.
        fresh: Whether to forget what an earlier attempt left.
        stop: Whether to save and stop; looked at after each update. The run is ``interrupted`` then, and goes on from there.
        trackers: Settings of the trackers that follow it, as JSON, by name; nothing that one of them does harms the run.

    Raises:
        harness.runs.lock.AlreadyClaimed: Another process is at it.
        harness.errors.ResultsError: The folder cannot be written, or somebody deleted or replaced a file of the run.
        harness.errors.RunError: The newest checkpoint is damaged, or does not fit the environments; or the run is one of
            November 2026 or earlier, whose checkpoints ended episodes.
    """
    folder = RunFolder.of(spec, results)
    with folder.claim():
        if fresh:
            folder.clear()
        elif folder.started:
            record = folder.read(spec)
            if record.status.state == "finished":
                return record.status
        refuse_runs_with_cuts(spec, installed())
        return _Run(spec, results, device, report, stop or _never, trackers or {}).complete()


def _never() -> bool:
    return False


class _Stopped(Exception):
    """The run is to stop while its environments are brought back; nothing has changed since its checkpoint."""


class _Run:
    """A run under way; the folder is claimed."""

    def __init__(
        self,
        spec: RunSpec,
        results: Path,
        device: str,
        report: ReportProgress | None,
        stop: Callable[[], bool],
        trackers: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.spec, self.results, self.stop = spec, results, stop
        self.reporter = ProgressReporter(report, REPORT_SECONDS)
        self.folder = RunFolder.of(spec, results)
        self.device = choose_device(device)
        self.files = OwnFiles()
        self.followers = Followers(trackers, installed(), self._report_remark)
        self.log = RunLog(self.folder, self.files, self.followers, with_phases=bool(spec.phases))
        self.costs = CostMeter()
        self.score: float | None = None
        self.evaluated, self.saved = 0, 0  # how many evaluations, and checkpoints after a number of steps, there were
        self.seconds_before = 0.0
        self.start_step = self.saved_step = 0
        self.checked_step = -1
        self.started = self.last_save = self.last_look = time.monotonic()
        self.ending: Ending = "failed"
        self.facts: Mapping[str, Any] = {}
        self.assembly: Assembly
        self.environments: EnvironmentState
        self.phases: PhaseSchedule
        self.soundness: SoundnessCheck
        self.visits: VisitCounter

    def complete(self) -> RunStatus:
        """Train to the end, or until the run is to stop, and return the status."""
        try:
            return self._complete()
        except _Stopped:
            self.ending = "interrupted"
            return self._set_state("interrupted")
        except KeyboardInterrupt:
            self.followers.kill()  # at once is at once
            raise
        except (OSError, ResultsError):
            self.ending = "failed"
            self.files.check()  # if something was taken away, that is the reason
            raise
        finally:
            self.followers.end(self.ending, lambda: self._report_progress(force=True))
            self.files.close()

    def _complete(self) -> RunStatus:
        self._write_record()
        self._assemble()
        self._update_status(restores=self.environments.restores)
        try:
            self._begin()
            self.files.remember(self.folder.path)
            with explained_failures(self.soundness, self.assembly.learner, self.folder):
                while self._step < self.spec.steps and not self.stop():
                    self._iterate()
                if self.saved_step < self._step < self.spec.steps:
                    self._save()
            self.ending = "finished" if self._step >= self.spec.steps else "interrupted"
        finally:
            self.assembly.close()
            self.log.close(self.ending)
        self._report_progress(force=True)
        return self._set_state(self.ending, **self._status_fields())

    def _set_state(self, state: FolderState, **fields: Any) -> RunStatus:
        self.files.check()
        status = self.folder.set_state(state, **fields).status
        self.files.remember(self.folder.record_file)
        return status

    def _update_status(self, **fields: Any) -> None:
        self.folder.update_status(**fields)
        self.files.remember(self.folder.record_file)

    def _assemble(self) -> None:
        self.assembly = assemble(self.spec, self.device, installed())
        self.phases = PhaseSchedule(self.spec, self.assembly.learner, self.assembly.bonus_env)
        self.environments = EnvironmentState(self.spec, self.assembly, self.folder, installed())
        self.soundness = SoundnessCheck(self.assembly)
        self.visits = VisitCounter(self.spec, self.assembly, self.folder)

    @property
    def _step(self) -> int:
        return self.assembly.learner.step

    @property
    def _seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.started

    @property
    def _steps_per_second(self) -> float:
        return (self._step - self.start_step) / max(time.monotonic() - self.started, 1e-9)

    def _write_record(self) -> None:
        """Write ``run.json`` before anything that may fail."""
        facts = self.facts = provenance(self.spec, installed(), self.device)
        spec, time_now = self.spec, now()
        if self.folder.started:
            record = self.folder.read(spec)
            self.folder.write(record.with_attempt(kept_step(self.folder) or spec.first_step, facts))
            self._set_state("running", attempts=record.status.attempts + 1)
            self.costs.begin(record.status)
            return
        status = RunStatus(state="running", step=0, steps=spec.steps, started=time_now, updated=time_now, attempts=0)
        record = RunRecord(spec=spec, digest=spec.digest, method_digest=spec.method_digest, provenance=facts, status=status)
        self.folder.write(record.with_attempt(spec.first_step, facts))
        self._set_state("running", attempts=1)
        self.costs.begin(status)

    def _begin(self) -> None:
        """Start at the newest checkpoint, at another run's last one, or from nothing."""
        found = checkpoints.load(self.folder.checkpoint)
        if found is not None:
            self._restore(*found)
        elif self.spec.start is not None:
            self._begin_from(self.spec.start, *load_start_checkpoint(self.spec.start, self.results))
        else:
            self._begin_fresh()
        self.visits.begin(None if found is None else found[1].get("visits", {}))
        self.start_step = self._step
        kept = -1 if found is None else self.start_step
        self.log.begin(TrackedRun.of(self.spec, self.folder.path, self.results, kept, self.facts))
        if found is not None:
            self.log.check_complete(self._step, self.score)
            self.files.remember_only(self.folder.checkpoint)
        self.saved_step = self.start_step
        self.started = self.last_save = time.monotonic()
        self._report_progress(force=True)

    def _begin_fresh(self) -> None:
        bonus_env = self.assembly.bonus_env
        if bonus_env is not None and bonus_env.reward.warm_up_steps:
            bonus_env.warm_up(self.environments.seed_warm_up())
        self.environments.seed()
        self.assembly.learner.begin(self.spec.steps)
        self.phases.begin(0)

    def _begin_from(self, start: StartSpec, step: int, state: dict[str, Any]) -> None:
        """Begin in new episodes with what another run has learned; go on counting where it ended, or from nothing."""
        assembly, seedings = self.assembly, 0
        if start.steps:  # what is drawn from here on has not been drawn there
            self.evaluated, self.saved = state["evaluated"], state.get("saved", 0)
            seedings = self.saved if self._counts_saves else state["cuts"] + 1
        self.environments.seed(seedings)
        assembly.learner.begin(self.spec.steps)
        try:
            assembly.learner.start_from(state["learner"], step if start.steps else 0)
            if assembly.reward is not None:
                assembly.reward.load_state_dict(state["reward"])
                assembly.reward.begin_episodes()  # those that it remembers are not these environments'
        except (KeyError, RuntimeError, ValueError) as error:
            cause = " ".join(str(error).split())
            raise RunError(f"{start.path}: its networks do not fit those of this run: {cause}") from error
        if assembly.bonus_env is not None:
            assembly.bonus_env.steps = self._step
        self.phases.begin(self._step)

    def _iterate(self) -> None:
        """One rollout and update, with what follows it; afterwards the run may be killed without loss."""
        spec, learner = self.spec, self.assembly.learner
        before, after = self._step, self._step + learner.vector_steps_per_iteration * self.assembly.base.num_envs
        final = after >= spec.steps
        save = final or _crosses_multiple(before, after, spec.checkpoint_every)  # a number of steps: the same in any attempt
        if not final:
            self.environments.cut_if_due(learner.vector_steps_per_iteration)
        metrics = self.soundness.metrics(learner.iterate())
        self.visits.count(self._step)
        self._log(metrics)
        if final or _crosses_multiple(before, after, spec.evaluation.every):
            self._evaluate()
        self.phases.advance(self._step)
        if save or self._save_is_due():
            self.saved += save
            self._save()
        self._look_after_files()
        self._report_progress()

    def _save_is_due(self) -> bool:
        minutes = self.spec.checkpoint_minutes
        return minutes is not None and time.monotonic() - self.last_save >= 60 * minutes

    def _look_after_files(self) -> None:
        if time.monotonic() - self.last_look >= _LOOK_SECONDS:
            self.files.check()
            self.costs.sample()
            self.last_look = time.monotonic()

    def _log(self, metrics: Mapping[str, float]) -> None:
        bonus_env = self.assembly.bonus_env
        bonus_metrics = {} if bonus_env is None else bonus_env.pop_metrics()
        clock = {"seconds": self._seconds, "speed": self._steps_per_second}
        self.log.write_update(self._step, metrics, bonus_metrics, **clock, phase=self.phases.name)

    def _check_soundness(self) -> None:
        """Check what was learned, once for each update: evaluating changes nothing of it."""
        if self.checked_step < self._step:
            self.soundness.state()
            self.checked_step = self._step

    def _evaluate(self) -> None:
        self._check_soundness()
        evaluation, assembly = self.spec.evaluation, self.assembly
        self._report_progress(activity="evaluation")
        where = assembly.evaluation_env, assembly.learner, evaluation, self.spec.seed, self.evaluated
        episodes = evaluate(*where, on_wait=lambda notice: self._report_progress(notice=notice, activity="evaluation"))
        self.evaluated += 1
        bounded = evaluation.max_steps is not None
        self.score = self.log.write_evaluation(self._step, episodes, phase=self.phases.name, bounded=bounded)

    def _save(self) -> None:
        with publishing(self.folder.path):
            self._publish_checkpoint()

    def _publish_checkpoint(self) -> None:
        self._check_soundness()
        self.files.check()
        self.log.sync()
        last, replay = self._step >= self.spec.steps, self.assembly.learner.replay
        state = self._state() | self.environments.state(last=last)
        if replay is not None:
            state["replay"] = replay.save(self.folder.replay, last=last)
        checkpoints.save(self.folder.checkpoint, self._step, state)
        self.environments.remove_unreferenced()
        if replay is not None:
            replay.remove_unreferenced(self.folder.replay)
        self.files.remember_only(self.folder.checkpoint)
        self._update_status(**self._status_fields())
        self.saved_step, self.last_save = self._step, time.monotonic()

    def _state(self) -> dict[str, Any]:
        assembly = self.assembly
        state: dict[str, Any] = {
            "digest": self.spec.digest,
            "learner": assembly.learner.state_dict(),
            "reward": None if assembly.reward is None else dict(assembly.reward.state_dict()),
            "observations": assembly.learner.observations,
            "random": randomness.get_state(),
            "evaluated": self.evaluated,
            "score": self.score,
            "seconds": self._seconds,
        }
        if self._counts_saves:
            state["saved"] = self.saved
        if (visits := self.visits.state()) is not None:
            state["visits"] = visits
        if self.spec.phases:
            state["phase"] = self.phases.index
        return state

    def _restore(self, step: int, state: dict[str, Any]) -> None:
        assembly = self.assembly
        if state["digest"] != self.spec.digest:
            raise RunError(f"{self.folder.checkpoint}: the checkpoint is another run's; run again with --fresh to start over")
        self.evaluated, self.saved, self.score = state["evaluated"], state.get("saved", 0), state["score"]
        self.seconds_before = state["seconds"]
        self.environments.begin_restoring(state)
        assembly.learner.begin(self.spec.steps)
        assembly.learner.load_state_dict(state["learner"], state["observations"])
        if assembly.learner.replay is not None:
            assembly.learner.replay.load(self.folder.replay, state["replay"])
        if assembly.reward is not None and assembly.bonus_env is not None:
            assembly.reward.load_state_dict(state["reward"])
            assembly.bonus_env.resume_from(state["observations"], steps=step)
        self.phases.resume(state.get("phase", 0))
        self.soundness.restored(self.folder)
        self.environments.restore(step, state, self._report_replay)
        randomness.set_state(state["random"])  # last: building all this has drawn from it, and so may environments

    @property
    def _counts_saves(self) -> bool:
        """Whether a run that begins where this one ends draws seeds by the number of its checkpoints, as in version 1."""
        return self.spec.training_version == SAVES_STATE

    def _status_fields(self) -> dict[str, Any]:
        """What the status says about how far the run is."""
        rate = round(self._steps_per_second, 1)
        facts = {"step": self._step, "seconds": round(self._seconds, 3), "score": self.score, "steps_per_second": rate}
        finished = self._step >= self.spec.steps
        facts |= {"restores": self.environments.restores, "logged_steps": 0 if finished else self.environments.logged_steps}
        facts |= self.costs.fields(self.followers.sessions)
        replay = self.assembly.learner.replay
        return facts if replay is None else facts | {"replay_bytes": replay.bytes_on_disk}

    def _report_progress(self, *, force: bool = False, notice: str | None = None, activity: str = "rollout") -> None:
        if self.reporter.is_due(force=force or notice is not None):
            at = self._step, self.spec.steps, self._steps_per_second, self.score, self.phases.name
            self.reporter.send(RunProgress(*at, notice=notice, activity=activity))

    def _report_remark(self, remark: str) -> None:
        at = self._step, self.spec.steps, self._steps_per_second, self.score, self.phases.name
        self.reporter.send(RunProgress(*at, remark=remark))

    def _report_replay(self, share: float, seconds_left: float | None) -> None:
        if self.stop():
            raise _Stopped
        if self.reporter.is_due(force=share == 1):
            at = self._step, self.spec.steps, 0.0, self.score, self.phases.name
            self.reporter.send(RunProgress(*at, share, seconds_left, activity="replay"))


def _crosses_multiple(before: int, after: int, every: int) -> bool:
    return after // every > before // every
