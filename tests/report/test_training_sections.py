"""Sections about training: maps, bonuses and measurements over time; each only where there is something to show."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from report.synthetic import STEPS, write_run

from harness.registry import installed
from harness.report.build import build_report
from harness.report.context import SuiteContext
from harness.report.document import FigureBlock, ReportTable
from harness.report.figures import render_files
from harness.report.inputs import ReportInputs
from harness.report.sections import bonus, costs, visits
from harness.runs.files import csv_text
from harness.runs.folder import RunFolder
from harness.runs.visits import MARKS, VISITS_FILE


def write_visits(folder: RunFolder, *, bonus: bool, side: int = 6, axes: bool = False) -> None:
    """Visits that spread along the rows, with a bonus that decays."""
    random, stretches, before = np.random.default_rng(0), [], 0
    for i, mark in enumerate(MARKS):
        cells = list(range((i + 1) * side))
        step = round(mark * STEPS)
        facts = {"cells": cells, "visits": random.integers(1, 500, len(cells)).tolist()}
        facts["bonus"] = (random.random(len(cells)) * 10.0**-i + 1e-4).tolist() if bonus else None
        stretches.append({"mark": mark, "first_step": before, "last_step": step, **facts})
        before = step
    place_map = {"rows": side, "columns": side}
    place_map |= {"row_range": [0.07, -0.07], "column_range": [-1.2, 0.6]} if axes else {"walls": [side * side - 1]}
    content = {"digest": folder.read().digest, "map": place_map, "stretches": stretches}
    (folder.path / VISITS_FILE).write_text(json.dumps(content))


def write_log(folder: RunFolder) -> None:
    columns = (
        "time/total_timesteps",
        "intrinsic/bonus_mean",
        "intrinsic/bonus_std",
        "intrinsic/clipped_share",
        "intrinsic/return_std",
    )
    rows = [(step, 100 / step, 30 / step, 0.2, 1 + step) for step in range(100, STEPS + 1, 100)]
    folder.progress_file.write_text(csv_text([columns, *rows]))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for task in ("north", "south"):
        for method in ("ppo", "rnd"):
            for seed in range(3):
                folder = write_run(tmp_path / "results", task, method, seed, metrics={"success": 0.0})
                if task == "north":
                    write_visits(folder, bonus=method == "rnd", axes=True)
                if method == "rnd":
                    write_log(folder)
    return tmp_path / "results"


def suite_of(results: Path, baseline: str | None = "ppo") -> SuiteContext:
    (suite,) = ReportInputs([results], [], baseline, installed()).analyse().suites
    return suite


def test_maps_are_drawn_for_each_method_with_the_bonus_where_it_has_one(results: Path) -> None:
    section = visits.build(suite_of(results))
    assert section is not None
    plots = [block.plot for block in section.blocks if isinstance(block, FigureBlock)]
    assert [plot.name for plot in plots] == ["synthetic-visits-1-1", "synthetic-visits-1-2"]
    without, drawn = (render_files(plot)["svg"].decode() for plot in plots)
    assert drawn.count("<image") == 6 + 2  # three maps of visits, three of the bonus, and the scales of their colours
    assert without.count("<image") == 3 + 1
    assert "visits by step 1,000 (10%)" in drawn
    assert "bonus in the tenth before 100%" in drawn
    assert "bonus" not in without
    table = next(block for block in section.blocks if isinstance(block, ReportTable))
    assert table.rows[0] == ("north", "10%", ("6.0", "n = 3"), ("6.0", "n = 3"))
    assert table.rows[2] == ("north", "100%", ("30.0", "n = 3"), ("30.0", "n = 3"))


def test_bonuses_are_told_at_both_ends_of_training(results: Path) -> None:
    section = bonus.build(suite_of(results))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, ReportTable))
    task, method, *cells = table.rows[0]
    assert (task, method, cells[-1]) == ("north", "rnd", "3")
    first, last, ratio = (float(str(cell)) for cell in cells[:3])
    assert first == pytest.approx(np.mean([100 / step for step in range(100, 1001, 100)]), rel=0.01)
    assert ratio == pytest.approx(last / first, rel=0.01)
    assert cells[3:7] == ["0.3", "0.3", "0.2", "0.2"]
    names = [block.plot.name for block in section.blocks if isinstance(block, FigureBlock)]
    assert names == ["synthetic-bonus-decay", "synthetic-bonus-normaliser"]  # spread and share are the same throughout


def test_costs_are_compared_with_the_baseline(results: Path) -> None:
    for folder in results.glob("synthetic/*/rnd-*/seed-*"):
        RunFolder(folder).update_status(seconds=250.0, memory_bytes=2**30, energy_joules=7200.0)
    section = costs.build(suite_of(results))
    assert section is not None
    methods, tasks = (block for block in section.blocks if isinstance(block, ReportTable))
    assert methods.rows == (("ppo", "6", "0.17", ("1.00", "2 tasks")), ("rnd", "6", "0.42", ("2.50", "2 tasks")))
    assert tasks.rows[0] == ("north", "ppo", ("100.0", "100.0 to 100.0"), "100 s", "–", "–")
    assert tasks.rows[1] == ("north", "rnd", ("40.0", "40.0 to 40.0"), "4 min", "1.00", "2.00")


@pytest.mark.slow
def test_sections_and_their_numbers_are_in_the_report(results: Path, tmp_path: Path) -> None:
    build_report([results], tmp_path / "out", formats=["md", "csv"])
    text = (tmp_path / "out" / "report.md").read_text()
    for heading in ("Where methods went", "What the bonus did", "Cost"):
        assert f"### {heading}" in text
    rows = (tmp_path / "out" / "visits.csv").read_text().splitlines()
    assert rows[0] == "suite,task,method,mark,step,row,column,share,bonus,runs"
    assert len(rows) == 1 + 2 * (6 + 18 + 30)


@pytest.mark.slow
def test_charts_that_would_show_nothing_are_left_out_and_named(results: Path, tmp_path: Path) -> None:
    build_report([results], tmp_path / "out", formats=["md"])
    text = (tmp_path / "out" / "report.md").read_text()
    assert "### Exploration over training" not in text  # success is 0 and episodes have 9 steps throughout
    assert not list((tmp_path / "out" / "figures").glob("*bonus-clipped*"))  # the same share throughout
    write_run(results, "north", "rnd", 0, metrics={"success": 1.0})
    build_report([results], tmp_path / "again", formats=["md"])
    text = (tmp_path / "again" / "report.md").read_text()
    assert "### Exploration over training" in text
    assert "The same number for every method throughout: south: success, 0." in text


def test_old_results_have_neither_maps_nor_bonuses(tmp_path: Path) -> None:
    for seed in range(2):
        write_run(tmp_path / "results", "north", "ppo", seed)
    suite = suite_of(tmp_path / "results", None)
    assert visits.build(suite) is None
    assert bonus.build(suite) is None


def test_what_cannot_be_read_is_named_among_the_skipped(results: Path, tmp_path: Path) -> None:
    broken = next(iter(sorted(results.rglob(VISITS_FILE))))
    broken.write_text("{}")
    lines: list[str] = []
    build_report([results], tmp_path / "out", formats=["csv"], on_unreadable=lines.append)
    assert [line.partition(":")[0] for line in lines] == [str(broken)]
    assert "does not say where a run went" in lines[0]


@pytest.mark.slow
@pytest.mark.parametrize("side", [1, 2, 7])
def test_maps_of_any_size_and_the_same_bytes_twice(tmp_path: Path, side: int) -> None:
    for seed in range(2):
        folder = write_run(tmp_path / "results", "a <b>&$x_1$", "rnd", seed)
        write_visits(folder, bonus=True, side=max(side, 5), axes=side == 7)
        if side < 5:
            content = json.loads((folder.path / VISITS_FILE).read_text())
            content["map"] = {"rows": 1, "columns": side}
            for one in content["stretches"]:
                one |= {"cells": [side - 1], "visits": [5], "bonus": [0.0]}
            (folder.path / VISITS_FILE).write_text(json.dumps(content))
    for out in ("one", "two"):
        build_report([tmp_path / "results"], tmp_path / out, formats=["html", "md", "csv"])
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / out).rglob("*") if file.is_file()} for out in ("one", "two")
    )
    assert one == two
    assert ("synthetic-visits-1-1.svg" in one) == (side > 1)
    assert b"<b>" not in one["index.html"]
