"""Reports on runs and on studies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.errors import ResultsError
from harness.experiment.outcomes import PathLike, Reportable, ReportResult, RunResult

if TYPE_CHECKING:
    from harness.analysis.bootstrap import IntervalKind
    from harness.report.folders import Folder, NamedFolder
    from harness.report.manifest import Currency
    from harness.report.selection import Selection


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


def _report_folders(results: Reportable) -> tuple[Sequence[Folder], Path]:
    """What a report is about, and where it is written unless something else is asked for."""
    from harness.report.folders import NamedFolder

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
