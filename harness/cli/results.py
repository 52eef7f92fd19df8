"""``status`` and ``report``: what runs have left behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from harness.cli.display.console import open_console
from harness.cli.display.words import duration
from harness.cli.options import AsJson, Profile, load, print_json
from harness.errors import ResultsError, UserError

if TYPE_CHECKING:
    from harness.runs.status import RunSummary

Roots = Annotated[
    list[Path], typer.Argument(metavar="RESULTS...", help="Results directories, or parts of them.", show_default=False)
]


def status(
    roots: Roots,
    suite: Annotated[
        Path | None, typer.Option(help="Compare with this suite, so that missing runs show.", show_default=False)
    ] = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what is finished, running, interrupted, failed or missing, with speed and time left."""
    from harness.cli.display.states import counts, print_failures, print_run_groups
    from harness.runs.status import seconds_left, summarise_runs

    summaries, skipped = _summarise_suite(roots, suite, profile) if suite else summarise_runs(roots)
    if as_json:
        left = seconds_left(summaries)
        print_json({"runs": [run_as_json(run) for run in summaries], "skipped": skipped, "seconds_left": left})
        return
    console = open_console()
    print_run_groups(console, summaries)
    print_failures(console, summaries)
    for line in skipped:
        console.print(Text(f"skipped: {line}", style="yellow"), soft_wrap=True)
    left = seconds_left(summaries)
    console.print(counts(summaries) + (f"; about {duration(left)} left" if left else ""))


def report(
    roots: Roots,
    out: Annotated[
        Path | None, typer.Option(help="Where to; 'report' in the first directory if not given.", show_default=False)
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Method that the others are compared with.", show_default=False)] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Which of html, md, latex and csv, separated by commas.")
    ] = "html,md,csv",
    published: Annotated[
        bool, typer.Option("--published", help="Lay the published numbers of these tasks beside ours.")
    ] = False,
    published_from: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Published numbers of your own, a CSV file or a folder; repeatable.", show_default=False
        ),
    ] = None,
) -> None:
    """Write the report, a section for each suite: scores with intervals, profiles, comparisons, curves, every run by name."""
    from harness.analysis.published import packaged_files
    from harness.report.build import build_report

    if not formats.strip(" ,"):
        raise UserError("--format names no format: html, md, latex and csv are known")
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    numbers = [*(packaged_files() if published else ()), *(published_from or ())]
    file = build_report(roots, out or roots[0] / "report", baseline=baseline, formats=wanted, published=numbers)
    open_console().print(f"report: {file}", soft_wrap=True)


def run_as_json(run: RunSummary) -> dict[str, Any]:
    """A run for scripts."""
    return {
        "suite": run.spec.suite,
        "task": run.spec.task,
        "method": run.spec.method,
        "seed": run.spec.seed,
        "digest": run.spec.digest,
        "state": run.state,
        "step": run.step,
        "steps": run.spec.steps,
        "steps_per_second": run.steps_per_second,
        "seconds_left": run.seconds_left,
        "score": run.score,
        "normalised": run.normalised,
        "error": run.error,
        "folder": str(run.folder.path),
    }


def _summarise_suite(roots: Sequence[Path], file: Path, profile: str | None) -> tuple[list[RunSummary], list[str]]:
    """The runs of a suite, missing ones included, as far as they lie in the first directory that has any of them."""
    from harness.planning.expand import expand
    from harness.runs.status import summarise_plan

    suite = load(file, profile)
    for root in roots:
        if not root.is_dir():
            raise ResultsError(f"{root}: no such results directory")
    base = next(root.parent if root.name == suite.suite else root for root in roots)
    return summarise_plan(expand(suite), base), []
