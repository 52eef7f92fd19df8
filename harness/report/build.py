"""From run folders to a report: the one verb of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.analysis.bootstrap import EXPANDED, INTERVAL_KINDS, IntervalKind
from harness.errors import UnknownNameError
from harness.registry import Registry, installed
from harness.report.figure_settings import DEFAULT_FONT, check_font
from harness.report.folders import Folder
from harness.report.formats import FORMATS, USUAL_FORMATS, main_file, report_files
from harness.report.garbage import nothing_old_is_garbage
from harness.report.inputs import ReportInputs
from harness.report.manifest import MANIFEST_FILE, manifest
from harness.report.printing import find_browser
from harness.report.selection import Selection
from harness.report.threads import one_blas_thread
from harness.runs.output import OutputFolder


def build_report(
    folders: Sequence[Folder],
    out: Path,
    *,
    baseline: str | None = None,
    formats: Sequence[str] = USUAL_FORMATS,
    published: Sequence[Path] = (),
    intervals: IntervalKind = EXPANDED,
    selection: Selection | None = None,
    compare: bool = False,
    title: str | None = None,
    figure_font: str = DEFAULT_FONT,
    each_seed: bool = False,
    registry: Registry | None = None,
    on_unreadable: Callable[[str], None] | None = None,
) -> Path:
    """Write a report about every run and study at or below ``folders``; the same give the same files to the byte.

    Args:
        folders: Results directories, parts of them, or single runs; several suites get a section each. Methods in folders
            with names (`harness.report.folders.NamedFolder`) are named after theirs.
        out: Folder to write into; created if need be. Files of an earlier report are replaced, one by one and whole.
        baseline: The method to compare with; see `harness.analysis.tables.choose_baseline`.
        formats: Names of `FORMATS` to write: ``html`` is one self-contained page, ``pdf`` the same on paper, ``md`` comes with
            a folder of figures, ``latex`` is one table for a paper for each suite, ``latex-all`` all tables, ``figures`` are
            vector files as wide as one and two columns of a paper, ``csv`` every number in tables, ``json`` is for
            rliable and marl-eval, ``npz`` the scores as arrays of NumPy.
        published: Files or folders of published numbers to lay beside ours; see `harness.analysis.published`.
        intervals: ``expanded`` for intervals that hold few seeds, ``rliable`` for rliable's own; see
            `harness.analysis.bootstrap`.
        selection: What of the results is shown, under which names and in which order; everything if not given.
        compare: Whether to say what changed from one of two folders with names to the other.
        title: The heading of the page; named after suites and studies if not given.
        figure_font: Family of the font in ``figures``.
        each_seed: Whether the learning curve of every seed is drawn below the mean of its method.
        registry: What is installed; of this installation if not given.
        on_unreadable: Takes a line for each thing that could not be read; the report names them too.

    Returns:
        The file to open first.

    Raises:
        ResultsError: When there is no run, a folder or a file does not exist or cannot be used, or ``out`` cannot be written.
        UnknownNameError: When no method is called ``baseline``, a format is none of `FORMATS`, intervals cannot be made so, or
            what is selected or such a font does not exist.
        UserError: When names of folders or of methods contradict each other, or ``pdf`` is wanted and no browser is installed
            that prints.
    """
    _check_options(formats, intervals, figure_font)
    registry = registry or installed()
    inputs = ReportInputs(folders, published, baseline, registry, intervals, selection, compare=compare, each_seed=each_seed)
    folder = OutputFolder(Path(out))
    folder.create()  # what cannot be written is said before the work, not after
    with one_blas_thread(), nothing_old_is_garbage():
        report = inputs.analyse()
        for line in report.unreadable:
            if on_unreadable is not None:
                on_unreadable(line)
        files = report_files(report, registry, formats, title, figure_font)
    files[MANIFEST_FILE] = manifest(report, baseline, intervals, files)
    for name, content in files.items():
        folder.write(name, content)
    return Path(out) / main_file(files, formats)


def _check_options(formats: Sequence[str], intervals: str, figure_font: str) -> None:
    """Refuse what cannot be done before anything is read."""
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    if intervals not in INTERVAL_KINDS:
        raise UnknownNameError("kind of intervals", intervals, INTERVAL_KINDS)
    if "pdf" in formats:
        find_browser()
    if "figures" in formats:
        check_font(figure_font)
