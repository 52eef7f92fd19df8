"""Learning curves of single seeds, where a report is asked for them, and legends in the order that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from matplotlib.figure import Figure
from report.synthetic import write_run, write_suite

from harness.cli import main
from harness.registry import installed
from harness.report.build import build_report
from harness.report.context import SuiteContext
from harness.report.document import FigureBlock
from harness.report.drawing import Plot
from harness.report.inputs import ReportInputs
from harness.report.sections import exploration, tasks
from harness.report.seed_curves import MOST_SEEDS
from harness.report.selection import Selection

METHODS = {"ppo": 3.0, "rnd": 5.0, "snd": 6.0}


def suite_of(results: Path, *, each_seed: bool = True, order: tuple[str, ...] = ()) -> SuiteContext:
    selection = Selection(order=order)
    (suite,) = ReportInputs([results], [], "ppo", installed(), selection=selection, each_seed=each_seed).analyse().suites
    return suite


def curves(suite: SuiteContext) -> Plot:
    plot = suite.plots.task_curves()
    assert plot is not None
    return plot


def thin_lines(plot: Plot, panel: int = 0) -> dict[str, list[list[float]]]:
    """The heights of thin lines, by their colour."""
    axes = Figure().add_subplot()
    plot.panels[panel].draw(axes)
    found: dict[str, list[list[float]]] = {}
    for line in axes.get_lines():
        if line.get_linewidth() < 1:
            found.setdefault(str(line.get_color()), []).append(list(line.get_ydata()))  # type: ignore[arg-type]  # an array
    return found


def test_every_seed_has_a_thin_line_in_its_methods_colour(tmp_path: Path) -> None:
    write_suite(tmp_path, METHODS, seeds=3)
    write_run(tmp_path, "north", "rnd", 3, state="failed", curve={1000: [1.0], 2000: [4.0]})
    suite = suite_of(tmp_path)
    lines = thin_lines(curves(suite))
    assert {label: len(lines[style.colour]) for label, style in suite.styles.items()} == {"ppo": 3, "rnd": 4, "snd": 3}
    assert [1.0, 4.0] in lines[suite.styles["rnd"].colour]  # a run that failed is shown as far as it came
    assert thin_lines(curves(suite_of(tmp_path, each_seed=False))) == {}


def test_lines_lie_below_their_mean_and_within_the_axes(tmp_path: Path) -> None:
    for seed, score in enumerate((1.0, 2.0, 30.0)):
        write_run(tmp_path, "north", "ppo", seed, curve={5000: [0.0], 10_000: [score]})
    axes = Figure().add_subplot()
    curves(suite_of(tmp_path)).panels[0].draw(axes)
    thin = [line for line in axes.get_lines() if line.get_linewidth() < 1]
    others = [line for line in axes.get_lines() if line.get_linewidth() >= 1]
    assert max(line.get_zorder() for line in thin) < min(line.get_zorder() for line in others)
    assert axes.get_ylim()[1] > 30


def test_of_many_seeds_the_lowest_are_drawn_and_that_is_said(tmp_path: Path) -> None:
    for seed in range(MOST_SEEDS + 2):
        write_run(tmp_path, "north", "ppo", seed, curve={5000: [0.0], 10_000: [float(seed)]})
    suite = suite_of(tmp_path)
    (lines,) = thin_lines(curves(suite)).values()
    assert sorted(heights[-1] for heights in lines) == list(range(MOST_SEEDS))
    text = str(tasks.build(suite).blocks[0])
    assert f"the {MOST_SEEDS} lowest ones" in text
    assert "thin line" not in str(tasks.build(suite_of(tmp_path, each_seed=False)).blocks[0])


def test_the_page_shows_them_without_scripts_and_links_their_numbers(tmp_path: Path) -> None:
    write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 5.0}, tasks=("north",), seeds=3)
    options = ["report", str(tmp_path / "results"), "--format", "html,csv"]
    assert main([*options, "--out", str(tmp_path / "with"), "--each-seed"]) == 0
    assert main([*options, "--out", str(tmp_path / "without")]) == 0
    pages = [(tmp_path / name / "index.html").read_text() for name in ("with", "without")]
    thin = [
        len(re.findall(r"stroke-width: 0\.6(?!\d)[^\"]*stroke-opacity: 0\.55|stroke-opacity: 0\.55", page)) for page in pages
    ]
    assert thin == [6, 0]
    assert "Each thin line is a seed" in pages[0]
    figure = pages[0].index("95 % bands and each seed")
    assert 'For each seed: <a href="scores.csv"' in pages[0][figure:]
    assert '<a href="curves_by_seed.csv">' in pages[0][figure:]
    assert pl.read_csv(tmp_path / "with" / "curves_by_seed.csv").height == 2 * 3 * 10


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    write_suite(tmp_path / "results", {"ppo": 3.0, "rnd": 5.0}, tasks=("north",), seeds=3)
    one, two = (
        build_report([tmp_path / "results"], tmp_path / name, formats=["html"], each_seed=True).read_bytes()
        for name in ("one", "two")
    )
    assert one == two


@pytest.mark.parametrize("order", [("snd", "ppo"), ("rnd", "snd", "ppo")])
def test_fault_6_legends_of_charts_of_training_follow_the_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    for method in METHODS:
        for seed in range(2):
            rates = {step: [step / 1e4 * (1 + seed)] for step in range(1000, 10_001, 1000)}
            folder = write_run(tmp_path, "north", method, seed, curve=rates)
            lines = folder.evaluations_file.read_text().splitlines()
            rows = [",".join([*line.split(",")[:-1], f"{i / 20}"]) for i, line in enumerate(lines[1:])]
            folder.evaluations_file.write_text("\n".join([lines[0], *rows]) + "\n")
    suite = suite_of(tmp_path, order=order)
    whole = [*order, *(label for label in METHODS if label not in order)]
    section = exploration.build(suite)
    assert section is not None
    (plot,) = [block.plot for block in section.blocks if isinstance(block, FigureBlock)]
    assert list(plot.legend) == list(curves(suite).legend) == whole
    usual = suite_of(tmp_path).styles
    assert {label: suite.styles[label] for label in usual} == usual  # an order changes no colour
