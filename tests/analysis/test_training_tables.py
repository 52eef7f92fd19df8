"""What runs recorded of their training, as tables: visits on maps, bonuses over time, measurements as curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report.synthetic import STEPS, write_run

from harness.analysis.cost_tables import relative_times
from harness.analysis.run_files import chosen_runs
from harness.analysis.tables import Analysis, analyse
from harness.runs.files import csv_text
from harness.runs.folder import RunFolder
from harness.runs.results import read_results
from harness.runs.visits import MARKS, VISITS_FILE


def visits_text(folder: RunFolder, stretches: list[dict[str, Any]], changes: dict[str, Any] | None = None) -> str:
    place_map = {"rows": 2, "columns": 3, "walls": [2]}
    return json.dumps(
        {"format": 1, "digest": folder.read().digest, "map": place_map, "stretches": stretches} | (changes or {})
    )


def stretch(i: int, cells: list[int], visits: list[int], bonus: list[float] | None) -> dict[str, Any]:
    steps = [0, *(round(mark * STEPS) for mark in MARKS)]
    return {
        "mark": MARKS[i],
        "first_step": steps[i],
        "last_step": steps[i + 1],
        "cells": cells,
        "visits": visits,
        "bonus": bonus,
    }


def analysed(results: Path) -> Analysis:
    return analyse(read_results([results]), "synthetic", None)


def test_visits_are_added_up_and_the_bonus_is_that_of_the_tenth_before(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "north", "rnd", 0)
    bonuses = [[4.0, 2.0], [9.0, 9.0], [3.0, 1.0], [9.0, 9.0], [0.5, 0.25]]
    written = [stretch(i, [0, i + 1 if i else 1], [3, 1], bonuses[i]) for i in range(5)]
    (folder.path / VISITS_FILE).write_text(visits_text(folder, written))
    table = analysed(tmp_path).tables["visits"]
    first = table.filter(mark=0.1).select("row", "column", "share", "bonus", "step").rows()
    assert first == [(0, 0, 0.75, 4.0, 1000), (0, 1, 0.25, 2.0, 1000)]
    half = table.filter(mark=0.5).select("row", "column", "share", "bonus").rows()
    assert half == [(0, 0, 0.75, 3.0), (0, 1, 1 / 12, None), (0, 2, 1 / 12, None), (1, 0, 1 / 12, 1.0)]
    assert table.filter(mark=1.0)["share"].sum() == pytest.approx(1)
    assert table.filter(mark=1.0, row=1, column=2)["bonus"].to_list() == [0.25]


def test_shares_are_means_over_seeds_and_bonuses_over_steps(tmp_path: Path) -> None:
    for seed, (cells, visits, bonus) in enumerate([([0], [10], [1.0]), ([0, 1], [10, 30], [2.0, 5.0])]):
        folder = write_run(tmp_path, "north", "rnd", seed)
        (folder.path / VISITS_FILE).write_text(visits_text(folder, [stretch(0, cells, visits, bonus)]))
    table = analysed(tmp_path).tables["visits"]
    assert table.select("row", "column", "share", "bonus", "runs").rows() == [(0, 0, 0.625, 1.5, 2), (0, 1, 0.375, 5.0, 2)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"digest": "0" * 8}, "belongs to a run with digest 00000000"),
        ({"format": 2}, "format"),
        ({"map": {"rows": 0, "columns": 3}}, "map.rows"),
        ({"map": {"rows": 10_000, "columns": 10_000}}, "at most 10,000"),
        ({"map": {"rows": 1, "columns": 1}}, "a cell beyond the map"),
        ({"map": {"rows": 2, "columns": 3, "row_range": [1, 1]}}, "two ends are the same"),
        ({"stretches": []}, "stretches"),
        ({"stretches": [stretch(1, [0], [1], None)]}, "stretches that do not end at"),
        ({"stretches": [stretch(0, [1, 0], [1, 1], None)]}, "do not ascend"),
        ({"stretches": [stretch(0, [0], [1, 1], None)]}, "not as many numbers as cells"),
        ({"stretches": [stretch(0, [0], [1], [1e400])]}, "beyond all bounds"),
        ({"stretches": [stretch(0, [0], [0], None)]}, "stretches.0.visits.0"),
    ],
)
def test_a_file_that_tells_no_visits_is_named_and_passed_over(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    folder = write_run(tmp_path, "north", "rnd", 0)
    text = visits_text(folder, [stretch(0, [4], [1], None)], changes)
    (folder.path / VISITS_FILE).write_text(text.replace("Infinity", "1e400"))
    analysis = analysed(tmp_path)
    assert analysis.tables["visits"].is_empty()
    (line,) = analysis.training_problems
    assert VISITS_FILE in line
    assert reason in line


def test_a_map_that_differs_from_the_others_is_named(tmp_path: Path) -> None:
    for seed in range(3):
        folder = write_run(tmp_path, "north", "rnd", seed)
        changes = {"map": {"rows": 3, "columns": 3}} if seed == 1 else {}
        (folder.path / VISITS_FILE).write_text(visits_text(folder, [stretch(0, [4], [1], None)], changes))
    analysis = analysed(tmp_path)
    assert analysis.tables["visits"]["runs"].to_list() == [2]
    assert [line.partition("seed-")[2] for line in analysis.training_problems] == [
        "1: its places are on another map than those of other runs of the task"
    ]


def write_progress(folder: RunFolder, values: dict[int, float], column: str = "intrinsic/bonus_mean") -> None:
    rows = [("time/total_timesteps", "time/fps", column), *((step, 100, value) for step, value in values.items())]
    folder.progress_file.write_text(csv_text(rows))


def test_bonuses_are_means_of_stretches_and_of_seeds(tmp_path: Path) -> None:
    for seed, factor in enumerate((1.0, 3.0)):
        write_progress(write_run(tmp_path, "north", "rnd", seed), {100: factor, 200: 3 * factor, STEPS: 10 * factor})
    table = analysed(tmp_path).tables["bonuses"]
    assert table.select("quantity", "step", "value", "min", "max", "runs").rows() == [
        ("bonus_mean", 200, 4.0, 2.0, 6.0, 2),
        ("bonus_mean", STEPS, 20.0, 10.0, 30.0, 2),
    ]


def test_a_log_that_anybody_may_have_written_is_no_danger(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "north", "rnd", 0)
    good = "time/total_timesteps,intrinsic/bonus_mean\n"
    for text in (
        "",
        good,
        good + "x,y\n,\n1e999,1\n5000,nan\n6000,1e300\n7000,2\n8000,3",
        "\0\xff,\n" * 3,
        good * 2 + '"\n',
    ):
        folder.progress_file.write_bytes(text.encode("latin-1"))
        values = analysed(tmp_path).tables["bonuses"]["value"].to_list()
        assert values in ([], [2.0])
    folder.progress_file.write_text(good + "7000,2\n8000,3")
    assert analysed(tmp_path).tables["bonuses"]["value"].to_list() == [2.0]  # the last line is torn


def test_a_baseline_without_a_bonus_has_none(tmp_path: Path) -> None:
    write_progress(write_run(tmp_path, "north", "ppo", 0), {100: 1.0})
    assert analysed(tmp_path).tables["bonuses"].is_empty()


def test_measurements_become_curves_of_means(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path, "north", "rnd", seed, metrics={"coverage": seed / 10})
    table = analysed(tmp_path).tables["measurement_curves"].filter(measurement="coverage")
    assert table["step"].to_list() == list(range(1000, STEPS + 1, 1000))
    assert table["value"].to_list() == pytest.approx([0.1] * 10)
    assert table["runs"].to_list() == [3] * 10
    assert table.select("min", "max").unique().rows() == [(0.0, 0.2)]


def test_of_very_many_runs_those_with_the_lowest_seeds_are_read(tmp_path: Path) -> None:
    for method in ("ppo", "rnd"):
        for seed in range(5):
            write_run(tmp_path, "north", method, seed)
    runs = read_results([tmp_path]).runs
    assert [(run.label, run.seed) for run in chosen_runs(runs, 4)] == [("ppo", 0), ("ppo", 1), ("rnd", 0), ("rnd", 1)]
    assert len(chosen_runs(runs, 1)) == 2


def test_costs_are_medians_and_times_of_a_step_are_compared_on_the_same_tasks(tmp_path: Path) -> None:
    seconds = {
        "north": {"ppo": (10, 20, 90), "rnd": (40, 40, 40)},
        "south": {"ppo": (10,), "rnd": (80,)},
        "west": {"rnd": (1,)},
    }
    for task, methods in seconds.items():
        for method, times in methods.items():
            for seed, time in enumerate(times):
                folder = write_run(tmp_path, task, method, seed)
                folder.update_status(seconds=float(time), memory_bytes=2**30 * (seed + 1))
    write_run(tmp_path, "north", "rnd", 3, state="failed", steps=range(1000, 2001, 1000))
    analysis = analyse(read_results([tmp_path]), "synthetic", "ppo")
    table = analysis.tables["costs"]
    row = table.filter(task="north", method="ppo").row(0, named=True)
    assert row["steps_per_second"] == STEPS / 20
    assert (row["slowest"], row["fastest"]) == pytest.approx((STEPS / 90, STEPS / 10))
    assert (row["seconds"], row["total_seconds"], row["runs"]) == (20, 120, 3)
    assert (row["memory_bytes"], row["energy_joules"]) == (2**31, None)
    assert relative_times(table, "ppo") == {"ppo": (1.0, 2), "rnd": (pytest.approx(4.0), 2)}
    assert relative_times(table, None) == {}
