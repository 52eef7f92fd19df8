"""From run folders to a report: the one verb of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from harness.errors import ResultsError, UnknownNameError
from harness.files import write_bytes_atomic, write_text_atomic
from harness.published import PublishedNumber, read_published
from harness.report.analysis import Analysis, analyse, choose_baseline
from harness.report.document import Block, Document, Points, Section, Text
from harness.report.latex import latex_tables
from harness.report.notices import incomplete_methods, notices
from harness.report.phases import boundaries
from harness.report.plots import Plots
from harness.report.published import Comparison
from harness.report.record import definitions, record_sections
from harness.report.rendering import FIGURES, figure_files, html_page, markdown_page
from harness.report.scores import findings, score_sections
from harness.report.wording import count, listing
from harness.results import Results, read_results
from harness.run_folder import RunFolder

FORMATS = ("html", "md", "latex", "csv")

_MAIN_FILES = {"html": "index.html", "md": "report.md", "latex": "tables.tex", "csv": "scores.csv"}
_DIGITS = 12  # of numbers in CSV files; beyond that lies the processor's rounding

Comparisons = Mapping[str, Comparison]
"""Published numbers beside each suite's own, by suite; empty when none were asked for."""


def build_report(
    folders: Sequence[Path | RunFolder],
    out: Path,
    *,
    baseline: str | None = None,
    formats: Sequence[str] = FORMATS,
    published: Sequence[Path] = (),
    title: str = "Exploration benchmark",
) -> Path:
    """Write a report about every run at or below ``folders``; the same runs give the same files to the byte.

    Args:
        folders: Results directories, parts of them, or single runs; several suites get a section each.
        out: Where to write; created if need be. Files of an earlier report are replaced, one by one and whole.
        baseline: The method to compare with; see `harness.report.analysis.choose_baseline`.
        formats: Which of `FORMATS` to write: ``html`` is one self-contained page, ``md`` comes with a folder of figures,
            ``latex`` is the tables for a paper, ``csv`` is every number in tables.
        published: Files or folders of published numbers to lay beside ours; see `harness.published`.
        title: Of the page.

    Returns:
        The file to open first.

    Raises:
        ResultsError: When there is no run, a folder or a file does not exist or cannot be used, or ``out`` cannot be written.
        UnknownNameError: When no method is called ``baseline``, or a format is none of `FORMATS`.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    numbers = read_published(published) if published else []
    results = read_results(folders)
    baselines = {suite: choose_baseline(results, suite, baseline) for suite in results.suites}
    _write({}, Path(out))  # what cannot be written is said before the work, not after
    analyses = [analyse(results, suite, label) for suite, label in baselines.items()]
    comparisons = _compare(analyses, results, numbers)
    files: dict[str, str | bytes] = {}
    if {"html", "md", "latex"} & set(formats):
        document = _document(results, analyses, comparisons, title)
        if "html" in formats:
            files["index.html"] = html_page(document)
        if "md" in formats:
            files |= {f"{FIGURES}/{name}": data for name, data in figure_files(document.sections).items()}
            files["report.md"] = markdown_page(document)
        if "latex" in formats:
            files["tables.tex"] = latex_tables(document)
    if "csv" in formats:
        files |= {f"{name}.csv": _csv(table) for name, table in _tables(results, analyses, comparisons).items()}
    _write(files, Path(out))
    return Path(out) / next(file for name, file in _MAIN_FILES.items() if name in formats)


def _compare(analyses: Sequence[Analysis], results: Results, numbers: Sequence[PublishedNumber]) -> Comparisons:
    return {analysis.suite: Comparison(analysis, results.records, numbers) for analysis in analyses} if numbers else {}


def _document(results: Results, analyses: Sequence[Analysis], comparisons: Comparisons, title: str) -> Document:
    runs = results.runs.filter(~pl.col("superseded"))
    finished = runs.filter(state="finished")
    counts = {
        "suite": runs["suite"].n_unique(),
        "task": runs.select("suite", "task").n_unique(),
        "method": runs.select("suite", "label").n_unique(),
        "seed": runs["seed"].n_unique(),
    }
    facts = [(f"{n}", thing if n == 1 else f"{thing}s") for thing, n in counts.items() if n > 1 or thing != "suite"]
    facts.append((f"{len(finished)} of {len(runs)}", "planned runs finished"))
    sections = [section for one in analyses for section in _suite_sections(one, results, comparisons.get(one.suite))]
    if results.skipped:
        sections.append(Section("Skipped while reading", (Points(results.skipped),), level=2))
    return Document(title, _lead(results), tuple(facts), (*sections, definitions()))


def _lead(results: Results) -> str:
    started, updated = results.runs["started"].min(), results.runs["updated"].max()
    days = list(dict.fromkeys(str(time)[:10] for time in (started, updated)))
    return f"{listing([f'Suite {suite}' for suite in results.suites])}: runs of {' to '.join(days)}."


def _suite_sections(analysis: Analysis, results: Results, comparison: Comparison | None) -> list[Section]:
    marks = dict.fromkeys(incomplete_methods(analysis), " †")
    plots = Plots(analysis, marks, boundaries(analysis, results.records))
    states = analysis.current["state"].to_list()
    planned = count(len(states), "run")
    lead = (
        f"{count(len(analysis.methods), 'method')} on {count(len(analysis.tasks), 'task')}; {states.count('finished'):,} of"
        f" {planned} finished."
    )
    blocks: list[Block] = [Text(lead + (f" The baseline is {analysis.baseline}." if analysis.baseline else ""))]
    if found := findings(analysis):
        blocks.append(Points(tuple(found)))
    if warned := notices(analysis, results.records):
        blocks.append(Points(tuple(warned), notice=True))
    overview = Section(f"Suite {analysis.suite}", tuple(blocks), level=2)
    compared = [comparison.section(plots.styles)] if comparison else []
    records = record_sections(analysis, results.records, plots.styles)
    return [overview, *score_sections(analysis, plots), *compared, *records]


def _tables(results: Results, analyses: Sequence[Analysis], comparisons: Comparisons) -> dict[str, pl.DataFrame]:
    runs = results.runs.rename({"method": "method_name", "label": "method"}).with_columns(pretraining=False)
    pretraining = results.pretraining.with_columns(method_name="method", pretraining=True)
    columns = ["suite", "task", "method", "seed", "score", "normalised", "score_step", "episodes", "digest", "method_digest"]
    tables = {
        "scores": runs.filter(~pl.col("superseded")).drop_nulls("score").select(columns),
        "runs": pl.concat([runs, pretraining], how="diagonal"),
    }
    if comparisons:
        for name, clipped in (("published", False), ("published_clipped", True)):
            tables[name] = pl.concat([comparison.table(clipped=clipped) for comparison in comparisons.values()])
    return tables | {name: pl.concat([analysis.tables[name] for analysis in analyses]) for name in analyses[0].tables}


def _csv(table: pl.DataFrame) -> str:
    return table.with_columns(pl.col(pl.Float64).round_sig_figs(_DIGITS)).write_csv()


def _write(files: dict[str, str | bytes], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                write_bytes_atomic(path, content)
            else:
                write_text_atomic(path, content)
    except OSError as error:
        raise ResultsError(f"{error.filename or out}: the report cannot be written ({error.strerror or error})") from error
