"""Experiments from Python: `plan`, `run`, `tune`, `report` and `status`, which the command line is a view of.

    from harness import experiment

    plan = experiment.plan("suites/quick.yaml", profile="smoke")
    result = experiment.run(plan, "results", on_event=print)
    experiment.report(result)

Nothing here prints, ends the process or changes anything of it; what goes wrong is raised from the tree in `harness.errors`.
A `StopRequest` has every run save at its next update and stop there: make it from a signal handler or another thread. Ctrl-C
stops the workers at once and is raised as `KeyboardInterrupt`. After either, the same call goes on from what the disk holds.
Training happens in processes of their own, so a script that calls this needs torch only for `forecast` and reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from harness.errors import ResultsError
from harness.execution.events import Outcome, RunEvent
from harness.execution.stopping import StopRequest

if TYPE_CHECKING:
    import polars as pl

    from harness.analysis.bootstrap import IntervalKind
    from harness.bundles.crosschecks import PackedRun
    from harness.bundles.packing import Packed
    from harness.bundles.verifying import Verification
    from harness.execution.forecast import Forecast
    from harness.planning.plan import Plan
    from harness.play.camera import OnFrame
    from harness.play.export import Exported
    from harness.play.playing import Played
    from harness.registry import Registry
    from harness.report.inputs import Folder, NamedFolder
    from harness.report.manifest import Currency
    from harness.report.selection import Selection
    from harness.runs.folder import RunFolder
    from harness.runs.jobs import SubmittedJob
    from harness.runs.pruning import DeadRun, Pruned
    from harness.runs.status import RunSummary
    from harness.tuning.forecast import TuningForecast
    from harness.tuning.search import OnTuneEvent, TuneResult

__all__ = [
    "OnEvent",
    "PlanStarted",
    "ReportResult",
    "RunResult",
    "StatusReader",
    "StatusResult",
    "StopRequest",
    "export",
    "forecast",
    "forecast_tuning",
    "pack",
    "plan",
    "play",
    "prune",
    "report",
    "report_currency",
    "run",
    "status",
    "track_report",
    "tune",
    "verify",
]

PathLike = Path | str


@dataclass(frozen=True)
class PlanStarted:
    """Everything was checked, and runs are about to be started.

    Attributes:
        runs: The state of every run of the plan, finished ones included.
    """

    runs: Sequence[RunSummary]


Reportable: TypeAlias = "RunResult | TuneResult | PathLike | Iterable[PathLike | NamedFolder] | Mapping[str, PathLike]"
"""What a report may be about: what `run` or `tune` returned, or results directories, with names or without."""

OnEvent = Callable[[PlanStarted | RunEvent], None]


@dataclass(frozen=True)
class RunResult:
    """What became of a plan.

    Attributes:
        plan: The plan, with its snapshots resolved.
        results: The results directory.
        outcomes: How each run ended that this call had to train; empty if all were finished before.
        runs: The state of every run of the plan afterwards.
        unreadable: One line for each thing of theirs that cannot be read.
        notices: What must be known before trusting a number, a sentence each.
        fingerprint: What a report on the runs depends on, as a digest.
        trackers: Settings of the trackers that followed the runs, as JSON, by name.
    """

    plan: Plan
    results: Path
    outcomes: Sequence[Outcome]
    runs: Sequence[RunSummary]
    unreadable: Sequence[str] = ()
    notices: Sequence[str] = ()
    fingerprint: str = ""
    trackers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    @property
    def failed(self) -> Sequence[Outcome]:
        """The runs that failed in this call."""
        return [outcome for outcome in self.outcomes if outcome.ending == "failed"]

    @property
    def finished(self) -> bool:
        """Whether every run of the plan is finished, by whomever, and can be read."""
        return all(run.state == "finished" for run in self.runs) and not self.unreadable

    @property
    def interrupted(self) -> Sequence[Outcome]:
        """The runs that were stopped in this call, or not even started because of that."""
        return [outcome for outcome in self.outcomes if outcome.ending == "interrupted"]

    @property
    def folder(self) -> Path:
        """The folder of the suite's results."""
        return self.results / self.plan.suite.suite

    def scores(self) -> pl.DataFrame:
        """One row for each run of the plan: its state, and its score if it is finished; columns as of `harness.read_runs`."""
        from harness.runs.tables import runs_of

        return runs_of(run.folder for run in self.runs)

    def evaluations(self) -> pl.DataFrame:
        """One row for each evaluation of each run of the plan; columns as of `harness.read_evaluations`."""
        from harness.runs.tables import evaluations_of

        return evaluations_of(run.folder for run in self.runs)

    def progress(self) -> pl.DataFrame:
        """One row for each row of each log of training of the plan's runs; columns as of `harness.read_progress`."""
        from harness.runs.tables import progress_of

        return progress_of(run.folder for run in self.runs)

    @property
    def reportable(self) -> Sequence[Path]:
        """The folders of the runs that have left anything; empty if none of them has a score to report."""
        there = [run for run in self.runs if _left_something(run.folder)]
        return [] if all(run.spec.pretraining for run in there) else [run.folder.path for run in there]


@dataclass(frozen=True)
class StatusResult:
    """The state of runs.

    Attributes:
        runs: The state of each run that counts; without a plan, also of those that recorded plans asked for.
        skipped: One line for each thing that cannot be read.
        seconds_left: Time until everything is finished at the present speed; ``None`` if nothing is running.
        superseded: Folders of runs that count nowhere, since others hold the same task, method and seed.
        notices: What must be known before trusting a number, a sentence each.
        jobs: The last job that was submitted for each run that is not finished, where an executor submits jobs.
    """

    runs: Sequence[RunSummary]
    skipped: Sequence[str]
    seconds_left: float | None
    superseded: Sequence[Path] = ()
    notices: Sequence[str] = ()
    jobs: Sequence[SubmittedJob] = ()


@dataclass(frozen=True)
class ReportResult:
    """A report that was written.

    Attributes:
        file: The file to open first.
        unreadable: One line for each thing that could not be read; the report names them too.
        unchanged: Whether it was there already, and would be the same if it were made again.
    """

    file: Path
    unreadable: Sequence[str] = ()
    unchanged: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the report."""
        return self.file.parent


def plan(
    suite: PathLike,
    *,
    profile: str | None = None,
    overrides: Iterable[tuple[str, str]] = (),
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    seeds: str | Sequence[int] | None = None,
    steps: int | str | None = None,
    registry: Registry | None = None,
) -> Plan:
    """The plan of a suite file; see `harness.planning.load.load` for the arguments.

    Raises:
        SuiteError: Something in the suite is wrong; one line for each mistake.
    """
    from harness.planning.load import load

    return load(
        suite, profile=profile, overrides=overrides, methods=methods, tasks=tasks, seeds=seeds, steps=steps, registry=registry
    )


def run(
    plan: Plan,
    results: PathLike = "results",
    *,
    executor: str = "local",
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
    wait: bool = True,
    trackers: Sequence[str] = (),
    on_event: OnEvent | None = None,
    stop: StopRequest | None = None,
) -> RunResult:
    """Train the runs of a plan that are not finished; interrupted ones go on where they were.

    Args:
        plan: The plan to carry out.
        results: The results directory.
        executor: Name of the executor.
        workers: Number of runs at a time; ``None`` for as many as the executor thinks right.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: Whether everything is started over; what the runs left is deleted.
        wait: Whether runs that other processes have are waited for, and trained here if their owners die; otherwise they are
            left alone.
        trackers: Names of trackers that follow the runs, beside those that the suite names. No run depends on them.
        on_event: Takes `PlanStarted`, unless there is nothing to do, and then the events of the runs, in this thread.
        stop: Once it is made, from a signal handler or another thread, every run saves at its next update and stops, and no
            other is started.

    Raises:
        UserError: Executor, snapshots, device or results directory cannot be used; nothing was started.
        KeyboardInterrupt: The runs under way were stopped at once, and go on from their last checkpoints.
            `harness.execution.executor.Detached`, a subclass, says that they go on elsewhere.
    """
    from harness.execution.carry import execute_plan
    from harness.execution.executor import ExecutionOptions, load_executor
    from harness.planning.recorded import record_suite, suite_names
    from harness.planning.snapshots import resolve_snapshots
    from harness.runs.beside import Beside
    from harness.runs.plans import try_to_record
    from harness.runs.status import read_plan

    carrier, results, send = load_executor(executor, plan.registry), Path(results), on_event or _ignore
    config, followed = plan.executor_config(executor), plan.tracker_settings(trackers)
    asked, plan = plan, resolve_snapshots(plan)
    _refuse_file(results)
    summaries = _summarise(plan, results, fresh=fresh)
    todo = [run.spec for run in summaries if run.state != "finished"]
    stall = plan.suite.stall_seconds
    options = ExecutionOptions(results, workers, device, fresh, stop or StopRequest(), stall, config, wait, followed)
    options = carrier.preflight(todo, options) if todo else options
    beside = Beside(plan.runs, results)
    notices = beside.update_constants()
    outcomes: list[Outcome] = []
    try_to_record(plan.runs, results, suite_names(asked), only_change=not todo)
    if todo:
        record_suite(asked, results)
        send(PlanStarted(summaries))
        outcomes = execute_plan(carrier, todo, options, send)
    found = read_plan(plan.runs, results)
    notices += [*found.notices, *beside.other_settings()]
    return RunResult(plan, results, outcomes, found.runs, found.unreadable, notices, found.fingerprint, followed)


def _refuse_file(results: Path) -> None:
    there = next(place for place in (results, *results.absolute().parents) if place.exists())
    if not there.is_dir():
        raise ResultsError(f"{results}: cannot be written: {there} is a file, and results need a folder")


def tune(
    plan: Plan,
    method: str | None = None,
    results: PathLike = "results",
    *,
    study: str | None = None,
    storage: str | None = None,
    out: PathLike | None = None,
    executor: str = "local",
    workers: int | None = None,
    device: str = "auto",
    trials: int | None = None,
    max_steps: int | None = None,
    seconds: float | None = None,
    wait: bool = True,
    outage_seconds: float = 600.0,
    on_event: OnTuneEvent | None = None,
    stop: StopRequest | None = None,
) -> TuneResult:
    """Search for a method's settings, confirm the best on fresh seeds, and write them into a file for ``--set @FILE``.

    Args:
        plan: The plan of the suite; its ``tune`` block says how to search.
        method: Name of the method; ``None`` for the only one of the plan.
        results: The results directory.
        study: Name of the study; ``None`` for suite, method and profile.
        storage: Journal file, ``sqlite:///FILE`` or URL of a database; ``None`` for a journal beside the results.
        out: File for the settings found; ``None`` for one in the study's folder.
        executor: Name of the executor.
        workers: Number of trials at a time; ``None`` for as many as the executor thinks right.
        device: ``auto``, ``cpu`` or ``cuda``.
        trials: Number of trials, over all processes and restarts; ``None`` for the suite's, unless another bound is given.
        max_steps: Environment steps of all trials together, after which none is begun.
        seconds: Duration of this call; what is under way then stays resumable.
        wait: Whether trials and runs that other processes have are waited for, and taken over if their owners die.
        outage_seconds: Longest time, in seconds, for which an outage of the storage is waited out.
        on_event: Takes the events of `harness.tuning.search`, in this thread.
        stop: Once it is made, from a signal handler or another thread, every run saves at its next update and stops, and no
            other is started.

    Raises:
        UserError: Something cannot be used; nothing was started.
        StorageLost: The storage cannot be reached any more; every trial that ended before is kept.
        KeyboardInterrupt: The runs under way were stopped at once, and go on from their last checkpoints.
    """
    from harness.tuning.request import TuneRequest
    from harness.tuning.search import search_settings

    request = TuneRequest.create(
        plan,
        method,
        Path(results),
        study=study,
        storage=storage,
        out=None if out is None else Path(out),
        executor=executor,
        workers=workers,
        device=device,
        trials=trials,
        max_steps=max_steps,
        seconds=seconds,
        wait=wait,
        outage_seconds=outage_seconds,
    )
    return search_settings(request, on_event or _ignore, stop or StopRequest())


def report(
    results: Reportable,
    out: PathLike | None = None,
    *,
    baseline: str | None = None,
    formats: Sequence[str] = ("html", "md", "csv"),
    published: Sequence[Path] = (),
    intervals: IntervalKind = "expanded",
    cache: bool = True,
    selection: Selection | None = None,
    compare: bool = False,
    figure_font: str = "DejaVu Sans",
    each_seed: bool = False,
) -> ReportResult:
    """Write the report on runs or on a study.

    What was read for a report in its usual place is kept in ``.harness-cache`` in the first directory, so that the next one
    reads only what has changed; a report that would be the same to the byte is not made again. With ``out`` nothing is written
    outside of that folder.

    Args:
        results: What `run` or `tune` returned, or one or more results directories; by names, methods of different directories
            are kept apart and named after theirs.
        out: Folder of the report; ``None`` for ``report`` in the first directory.
        baseline: Name of the method that the others are compared with.
        formats: Any of ``html``, ``pdf``, ``md``, ``latex``, ``latex-all``, ``figures``, ``csv``, ``json`` for rliable and
            marl-eval, and ``npz`` for the scores as arrays of NumPy.
        published: Files or folders of published numbers to lay beside ours.
        intervals: ``expanded`` for intervals that hold few seeds, ``rliable`` for the percentiles that rliable gives.
        cache: Whether to use and keep what was read; if not, everything is read and made again and nothing is kept.
        selection: What of the results is shown, under which names and in which order; everything if not given.
        compare: Whether to say what changed from the first of two directories with names to the other.
        figure_font: Family of the font in ``figures``, that of the paper they are for.
        each_seed: Whether the learning curve of every seed is drawn, as a thin line below the mean of its method.

    Raises:
        ResultsError: There is nothing to report on.
        UserError: What is selected does not exist, names contradict each other, an option is none that is known, or ``pdf`` is
            wanted and no browser is installed that prints.
    """
    options: dict[str, Any] = {
        "baseline": baseline,
        "formats": formats,
        "published": published,
        "intervals": intervals,
        "selection": selection,
        "compare": compare,
        "figure_font": figure_font,
        "each_seed": each_seed,
    }
    folders, place = _report_folders(results)
    folder = place / "report" if out is None else Path(out)

    def write() -> tuple[Path, Sequence[str]]:
        from harness.report.build import build_report

        unreadable: list[str] = []
        return build_report(folders, folder, on_unreadable=unreadable.append, **options), unreadable

    if not cache or out is not None:
        return ReportResult(*write())
    from harness.report.stamps import write_unless_current

    below = [place] if isinstance(results, RunResult) else folders
    places = [one if isinstance(one, Path) else one.path for one in below]
    return ReportResult(*write_unless_current(write, place, [*places, *published], folder, repr((folders, options))))


def _report_folders(results: Reportable) -> tuple[Sequence[Folder], Path]:
    """What a report is about, and where it is written unless something else is asked for."""
    from harness.report.inputs import NamedFolder

    if isinstance(results, RunResult):
        if not results.reportable:
            raise ResultsError(f"{results.folder}: none of the plan's runs has a score yet, so there is nothing to report")
        return [run.folder for run in results.runs], results.folder
    roots: list[Path | NamedFolder] = []
    if isinstance(results, Mapping):
        given = cast(Mapping[str, PathLike], results)
        roots += [NamedFolder(name, Path(path)) for name, path in given.items()]
    elif isinstance(results, str | Path):
        roots.append(Path(results))
    elif isinstance(results, Iterable):
        roots += [one if isinstance(one, NamedFolder) else Path(one) for one in results]
    else:
        roots.append(results.request.folder)
    first = roots[0]
    return roots, first.path if isinstance(first, NamedFolder) else first


def track_report(result: RunResult, folder: PathLike) -> Sequence[str]:
    """Hand a report to the trackers that followed its runs, as an artifact of a tracker's run of its own for each suite.

    Args:
        result: What `run` returned.
        folder: Folder of the report.

    Returns:
        A sentence for each tracker that did not take it; nothing is raised.
    """
    from harness.tracking.reports import hand_over

    return hand_over(Path(folder), result.plan.suite.suite, result.results, result.trackers, result.plan.registry)


def report_currency(found: RunResult) -> Currency:
    """Whether there is a report in the folder of a suite's results, and whether it shows the runs of a plan as they are.

    Raises:
        ResultsError: Its folder may not be looked into.
    """
    from harness.report.manifest import currency

    return currency(found.folder / "report" / "index.html", found.fingerprint)


def prune(
    results: PathLike | Iterable[PathLike],
    confirm: Callable[[Sequence[DeadRun]], bool],
    confirm_dropped: Callable[[Sequence[DeadRun]], bool] | None = None,
) -> Pruned:
    """Remove unfinished runs whose settings were abandoned: their task and method were asked for under others since.

    Finished runs of abandoned settings stay, and so does every run that a process holds. Runs of methods and tasks that were
    dropped from their suite, finished ones among them, are looked for only with ``confirm_dropped``.

    Args:
        results: One or more results directories, or parts of them.
        confirm: Takes what would be removed, if there is anything, and says whether it is to be.
        confirm_dropped: Takes the runs that no plan asks for any more, if there are any, and says whether they are to be
            removed.

    Raises:
        ResultsError: A directory does not exist.
    """
    from harness.runs.pruning import prune_below

    return prune_below(_roots(results), confirm, confirm_dropped)


def pack(results: PathLike, out: PathLike) -> Packed:
    """Write the data of results into one checksummed bundle: nothing that runs, and no weights.

    Args:
        results: The results directory, or a part of it.
        out: The bundle to be written or replaced.

    Raises:
        ResultsError: There is no run, one is being trained, something cannot be read, or it is too much for a bundle.
    """
    from harness.bundles.packing import pack as pack_bundle

    return pack_bundle(Path(results), Path(out))


def verify(
    bundle: PathLike,
    *,
    share: float = 0.1,
    seed: int = 0,
    workers: int | None = None,
    device: str = "auto",
    on_drawn: Callable[[Sequence[str]], None] | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
    stop: StopRequest | None = None,
) -> Verification:
    """Check a bundle against itself, and train a random share of its finished runs again in a temporary folder.

    Args:
        bundle: The bundle, which is only read.
        share: Share of the runs to train, above 0 and at most 1; at least one run is.
        seed: Seed of the draw.
        workers: Number of runs at a time; ``None`` for one per core.
        device: ``auto``, ``cpu`` or ``cuda``.
        on_drawn: Told the names of the runs that are about to be trained.
        on_event: Takes the events of the runs, in this thread.
        stop: Once it is made, from a signal handler or another thread, runs stop and what is finished is compared.

    Raises:
        UserError: The file is no bundle that can be used, holds no finished run, or the device is not there.
    """
    from harness.bundles.verifying import verify as verify_bundle
    from harness.registry import installed

    def drawn(runs: Sequence[PackedRun]) -> None:
        if on_drawn is not None:
            on_drawn([run.name for run in runs])

    return verify_bundle(
        Path(bundle),
        installed(),
        share=share,
        seed=seed,
        workers=workers,
        device=device,
        on_drawn=drawn,
        on_event=on_event or _ignore,
        stop=stop or StopRequest(),
    )


def play(
    run: PathLike,
    *,
    episodes: int | None = None,
    deterministic: bool | None = None,
    seeds: Sequence[int] = (),
    max_steps: int | None = None,
    device: str = "auto",
    filmed: int = 0,
    video: PathLike | None = None,
    fps: float = 15.0,
    strip: bool = False,
    on_frame: OnFrame | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Played:
    """Play episodes with the policy that a run has learned, finished or not; its folder is read and never changed.

    Args:
        run: Folder of the run.
        episodes: Number of episodes for each seed; ``None`` for as many as in the run's own evaluations.
        deterministic: Whether the likeliest actions are taken; ``None`` for what the run's own evaluations do.
        seeds: Seeds from which those of environments and actions are derived; none for those of the run's last evaluation,
            which gives a finished run's own returns again.
        max_steps: Steps after which an episode is cut; ``None`` for the run's own setting.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        filmed: Number of the first seed's episode that is filmed, counted from 0.
        video: File of a film, ending in ``.gif`` or ``.mp4``; ``None`` for none.
        fps: Pictures per second of the film.
        strip: Whether a strip of pictures is kept beside the results, where reports find it.
        on_frame: Takes each picture of that episode as soon as there is one.
        on_wait: Told now and then of an episode that has not ended after many steps.

    Raises:
        UserError: This is no run's folder, something that it needs is not installed, there is no checkpoint that can be used,
            or what is asked for cannot be done.
    """
    from harness.play.opened import opened_run, read_run
    from harness.play.playing import PlayRequest
    from harness.play.playing import play as play_episodes
    from harness.play.video import check_video_file
    from harness.registry import installed

    folder, file = Path(run), None if video is None else Path(video)
    request = PlayRequest(episodes, deterministic, max_steps, seeds, filmed, file, fps, strip, on_frame, on_wait)
    evaluation = request.evaluation(read_run(folder).spec)
    if file is not None:
        check_video_file(file, folder)
    with opened_run(folder, installed(), evaluation=evaluation, device=device) as opened:
        return play_episodes(opened, request)


def export(run: PathLike, file: PathLike | None = None) -> Exported:
    """Write the policy of a run as a zip file that Stable-Baselines3 opens.

    Args:
        run: Folder of the run, which is read and never changed.
        file: The file to be written; ``None`` for one in the working directory, named after task, method and seed.

    Raises:
        UserError: This is no run's folder, there is no checkpoint that can be used, or Stable-Baselines3 has no model that
            could hold the policy.
    """
    from harness.play.export import export_policy
    from harness.play.opened import opened_run, read_run
    from harness.play.video import check_output
    from harness.registry import installed
    from harness.runs.output import file_stem

    spec = read_run(Path(run)).spec
    out = Path(f"{file_stem(spec.task, spec.method)}-seed-{spec.seed}.zip") if file is None else Path(file)
    check_output(out, Path(run), "--out")
    with opened_run(Path(run), installed(), device="cpu") as opened:
        return export_policy(opened, out)


def status(results: PathLike | Iterable[PathLike], plan: Plan | None = None) -> StatusResult:
    """The state of the runs in results directories.

    Args:
        results: One or more results directories, or parts of them.
        plan: The plan to compare with, so that missing runs show; its runs are looked for in the first directory.

    Raises:
        UserError: A directory does not exist, there is nothing in any of them, or a snapshot of the plan cannot be used.
    """
    from harness.runs.status import refuse_if_nothing

    reader = StatusReader(results, plan)
    found = reader.look()
    if plan is None and not found.jobs:  # with jobs, it is only that no run has begun
        refuse_if_nothing(found.runs, found.skipped, reader.roots)
    return found


class StatusReader:
    """Reads the state of runs again and again, and at each look after the first only what has changed since.

    Nothing is ever written.

    Args:
        results: One or more results directories, or parts of them.
        plan: The plan to compare with, so that missing runs show; its runs are looked for in the first directory.

    Attributes:
        roots: The results directories.

    Raises:
        UserError: A snapshot of the plan cannot be used.
    """

    def __init__(self, results: PathLike | Iterable[PathLike], plan: Plan | None = None) -> None:
        from harness.planning.snapshots import resolve_snapshots
        from harness.runs.jobs import JobsReader
        from harness.runs.status import StatusReader as RunsReader

        self.roots = _roots(results)
        self._plan = resolve_snapshots(plan) if plan else None
        self._runs, self._jobs = RunsReader(), JobsReader()
        self._beside: tuple[object, Sequence[str]] | None = None

    def look(self) -> StatusResult:
        """The state of the runs now; without a plan, of none where none has begun.

        Raises:
            ResultsError: A directory does not exist.
        """
        from harness.runs.guarded import is_folder
        from harness.runs.status import seconds_left

        notices: Sequence[str] = ()
        if self._plan is None:
            found = self._runs.below(self.roots)
        else:
            for root in self.roots:
                if not is_folder(root):
                    raise ResultsError(f"{root}: no such results directory")
            base = self.roots[0].parent if self.roots[0].name == self._plan.suite.suite else self.roots[0]
            found = self._runs.of_plan(self._plan.runs, base)
            notices = self._notices_beside(self._plan, base, found.collection)
        runs, jobs = self._with_jobs(found.runs)
        superseded = [folder.path for folder in found.superseded]
        return StatusResult(runs, found.unreadable, seconds_left(runs), superseded, [*found.notices, *notices], jobs)

    def _notices_beside(self, plan: Plan, base: Path, found: object) -> Sequence[str]:
        """What lies beside the runs of the plan, looked for again where these have changed."""
        from harness.runs.beside import Beside

        if self._beside is None or self._beside[0] is not found:
            beside = Beside(plan.runs, base)
            self._beside = found, [*beside.outdated(), *beside.other_settings()]
        return self._beside[1]

    def _with_jobs(self, runs: Sequence[RunSummary]) -> tuple[Sequence[RunSummary], Sequence[SubmittedJob]]:
        """The runs with their jobs, and all jobs of runs that are not finished, in the order of submission."""
        jobs = self._jobs.below(self.roots)
        if not jobs:
            return runs, []
        folders = [run.folder.path.resolve() for run in runs]
        for run, folder in zip(runs, folders, strict=True):
            if run.state == "finished":
                jobs.pop(folder, None)
        return [replace(run, job=jobs.get(folder)) for run, folder in zip(runs, folders, strict=True)], list(jobs.values())


def forecast(
    plan: Plan,
    results: PathLike = "results",
    *,
    workers: int | None = None,
    device: str = "auto",
    fresh: bool = False,
) -> Forecast:
    """What the runs of a plan will take on this machine: each method is measured for a few seconds, nothing is written.

    The arguments are those of `run`. It measures in new processes of the caller's kind, so a script must call it below
    ``if __name__ == "__main__":``.
    """
    from harness.execution import forecast as forecasts
    from harness.execution.instructions import bf16_notice
    from harness.execution.measuring import measure
    from harness.planning.snapshots import resolve_snapshots

    summaries = _summarise(resolve_snapshots(plan), Path(results), fresh=fresh)
    found = forecasts.forecast(summaries, lambda spec: measure(spec, device), workers)
    notice = bf16_notice([run.spec for run in summaries if run.state != "finished"], device)
    return replace(found, notices=(notice,)) if notice else found


def forecast_tuning(
    plan: Plan,
    method: str | None = None,
    results: PathLike = "results",
    *,
    workers: int | None = None,
    device: str = "auto",
    trials: int | None = None,
    max_steps: int | None = None,
    seconds: float | None = None,
) -> TuningForecast:
    """What a study will take on this machine; nothing is written. The arguments are those of `tune`.

    It measures in a new process of the caller's kind, as `forecast` does.
    """
    from harness.execution.measuring import measure
    from harness.tuning.forecast import forecast_study
    from harness.tuning.request import TuneRequest

    request = TuneRequest.create(
        plan, method, Path(results), workers=workers, device=device, trials=trials, max_steps=max_steps, seconds=seconds
    )
    return forecast_study(request, lambda spec: measure(spec, device))


def _summarise(plan: Plan, results: Path, *, fresh: bool) -> list[RunSummary]:
    from harness.runs.folder import RunFolder
    from harness.runs.status import RunSummary, refuse_unusable, summarise_plan

    if fresh:  # whatever is there is going to be deleted, so it need not even be readable
        runs = [RunSummary(spec, RunFolder.of(spec, results), "missing") for spec in plan.runs]
        refuse_unusable(run.folder for run in runs)
        return runs
    return summarise_plan(plan.runs, results)


def _left_something(folder: RunFolder) -> bool:
    """Whether a run's folder holds a record; where nobody may look, the report is to say so."""
    try:
        return folder.started
    except ResultsError:
        return True


def _roots(results: PathLike | Iterable[PathLike]) -> list[Path]:
    return [Path(results)] if isinstance(results, str | Path) else [Path(root) for root in results]


def _ignore(event: object) -> None:
    """Nobody listens."""
