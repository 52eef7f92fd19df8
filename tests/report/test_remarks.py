"""What a reviewer would write is said by the report: each remark where it applies, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from report.synthetic import make_spec, write_run, write_suite

from harness.registry import installed
from harness.report.assembly import assemble
from harness.report.context import SuiteContext
from harness.report.inputs import ReportInputs
from harness.report.remarks import collect_remarks
from harness.report.rendering import markdown_page
from harness.runs.plans import record_plan

STEPS = range(1000, 10_001, 3000)


def suite(results: Path) -> SuiteContext:
    return ReportInputs([results], (), None, installed()).analyse().suites[0]


def remarks(results: Path) -> list[str]:
    return collect_remarks(suite(results))


def flat(results: Path, task: str, method: str, value: float, seeds: int = 3) -> None:
    for seed in range(seeds):
        write_run(results, task, method, seed, curve={step: [value, value] for step in STEPS})


def planned(results: Path) -> Path:
    record_plan([make_spec("north", "ppo", 0)], results)
    return results


def test_nothing_is_remarked_where_there_is_nothing(tmp_path: Path) -> None:
    results = write_suite(tmp_path, {"ppo": 1.0, "rnd": 9.0}, seeds=10, spread=0.1, tasks=("north",))
    assert remarks(results) == []


def test_without_a_plan_nobody_knows_what_is_missing(tmp_path: Path) -> None:
    for method in ("ppo", "rnd"):
        for seed in range(10):
            write_run(tmp_path, "north", method, seed, 1 + seed / 9 + 5 * (method == "rnd"))
    assert len(found := remarks(tmp_path)) == 1
    assert found[0].startswith("No plan was recorded with these results")
    assert remarks(planned(tmp_path)) == []


def test_the_best_is_not_called_so_where_intervals_overlap(tmp_path: Path) -> None:
    results = write_suite(tmp_path, {"ppo": 1.0, "rnd": 8.0, "snd": 9.0}, seeds=4)
    (found,) = remarks(results)
    assert found.startswith("snd has the highest IQM, but its interval overlaps with those of rnd (p = ")
    assert "ppo" not in found


def test_a_baseline_that_never_left_zero(tmp_path: Path) -> None:
    results = planned(tmp_path)
    flat(results, "north", "ppo", 0)
    flat(results, "south", "ppo", -200)
    for task in ("north", "south"):
        for seed in range(10):
            write_run(results, task, "rnd", seed, 5.0 + seed / 10)
    found = [line for line in remarks(results) if "never left" in line]
    assert [line.partition(",")[0] for line in found] == [
        "The baseline ppo never left 0 on north",
        "The baseline ppo never left −200 on south",
    ]


def test_a_baseline_that_left_zero_once_has_no_remark(tmp_path: Path) -> None:
    results = planned(tmp_path)
    flat(results, "north", "ppo", 0)
    write_run(results, "north", "ppo", 3, curve={1000: [0, 1], 10_000: [0, 0]})
    flat(results, "north", "rnd", 5)
    assert not [line for line in remarks(results) if "never left" in line]


def test_a_task_on_which_nobody_moved(tmp_path: Path) -> None:
    results = planned(tmp_path)
    for method in ("ppo", "rnd"):
        flat(results, "north", method, 0)
    found = [line for line in remarks(results) if "returned the same" in line]
    assert len(found) == 1
    assert found[0].startswith("Every evaluation of every method returned the same on north (0): such tasks tell nothing")
    assert not [line for line in remarks(results) if "never left" in line]


@pytest.mark.parametrize(("tasks", "said"), [(("north", "south", "west"), True), (("north", "south"), False)])
def test_one_task_that_makes_the_difference(tmp_path: Path, tasks: tuple[str, ...], said: bool) -> None:
    results = planned(tmp_path)
    for task in tasks:
        for seed in range(3):
            write_run(results, task, "ppo", seed, 1 + seed / 10)
            write_run(results, task, "rnd", seed, 1 + seed / 10 + (30 if task == "south" else 0.1))
    found = [line for line in remarks(results) if line.startswith("One task makes most of the difference")]
    assert len(found) == said
    if said:
        assert "between rnd and ppo: on south it is +3.000 in normalised score, over all 3 tasks +1.007 on average" in found[0]
        assert found[0].endswith("and without south +0.010.")


def test_versions_that_changed_between_runs(tmp_path: Path) -> None:
    results = planned(tmp_path)
    for seed in range(10):
        torch = "2.13.0" if seed < 5 else "2.14.0"
        write_run(results, "north", "ppo", seed, 1.0 + seed / 10, provenance={"commit": "a", "packages": {"torch": torch}})
        write_run(results, "north", "rnd", seed, 6.0 + seed / 10, provenance={"commit": "a", "packages": {"torch": "2.13.0"}})
    (found,) = remarks(results)
    assert found.startswith(
        "Not all runs were trained with the same code: package torch 2.13.0 (ppo and rnd), 2.14.0 (ppo). What differs between"
    )
    write_run(results, "north", "ppo", 10, 1.5, provenance={"packages": {"torch": "2.13.0"}})
    assert "commit a (ppo and rnd), not recorded (ppo);" in remarks(results)[0]


def test_methods_differ_in_the_plugins_that_they_need(tmp_path: Path) -> None:
    results = planned(tmp_path)
    for seed in range(10):
        write_run(results, "north", "ppo", seed, 1.0 + seed / 10, provenance={"plugins": {"ppo": "1.0"}})
        write_run(results, "north", "rnd", seed, 6.0 + seed / 10, provenance={"plugins": {"ppo": "1.0", "rnd": "1.0"}})
    assert remarks(results) == []


TUNED = {"config.eta": 1.0, "combine.intrinsic_weight": 1.0, "algorithm.n_envs": 8}
TRIALS = [
    {"number": 3, "state": "PRUNED", "params": {"config.eta": 1.0}},
    {"number": 4, "state": "COMPLETE", "params": {"config.eta": 2.0}},
    {"number": 7, "state": "COMPLETE", "params": TUNED},
]


def study(tasks: Sequence[str], trials: list[dict[str, Any]]) -> Any:
    """As much of a study's record as the remark looks at."""
    facts = {"name": "synthetic-rnd", "suite": "synthetic", "method": "rnd", "trials": trials}
    return SimpleNamespace(**facts, definition={"tasks": {task: {} for task in tasks}})


def test_settings_that_were_chosen_for_the_tasks_reported(tmp_path: Path) -> None:
    results = write_suite(tmp_path, {"ppo": 1.0, "rnd": 9.0}, seeds=10, spread=0.1, tasks=("north",))
    context = suite(results)
    (found,) = collect_remarks(replace(context, studies=[study(["north", "elsewhere"], TRIALS)]))
    assert found.startswith("Settings of rnd (trial 7) are of study synthetic-rnd, which searched for high scores on north: ")
    assert found.endswith(" ppo had no such search here.")
    for other in (study(["north"], TRIALS[:2]), study(["elsewhere"], TRIALS)):
        assert collect_remarks(replace(context, studies=[other])) == []


def test_the_suites_own_settings_were_chosen_by_no_study(tmp_path: Path) -> None:
    results = write_suite(tmp_path, {"ppo": 1.0, "rnd": 9.0}, seeds=10, spread=0.1, tasks=("north",))
    own = {"number": 0, "state": "COMPLETE", "params": TUNED, "user_attrs": {"default": True}}
    again = {"number": 5, "state": "COMPLETE", "params": TUNED}
    for trials in ([own], [own, again], [again, own]):
        assert collect_remarks(replace(suite(results), studies=[study(["north"], trials)])) == []
    other = own | {"params": TUNED | {"config.eta": 3.0}}
    (found,) = collect_remarks(replace(suite(results), studies=[study(["north"], [other, again])]))
    assert "rnd (trial 5)" in found


def test_the_overview_has_the_remarks_and_the_dead_stand_apart(tmp_path: Path) -> None:
    results = write_suite(tmp_path, {"ppo": 1.0, "rnd": 9.0}, seeds=3)
    write_run(results, "north", "rnd", 1, budget=5000, state="failed", error="out of luck")
    inputs = ReportInputs([results], (), None, installed())
    text = markdown_page(assemble(inputs.analyse(), installed(), "A report"))
    runs = text.partition("How the runs stand.")[2]
    counts = [line.split("|")[2].strip() for line in runs.splitlines() if line.startswith(("| ppo", "| rnd"))][:2]
    assert counts == ["6", "6"]
    abandoned = runs.partition("Unfinished runs of abandoned settings")[2].splitlines()
    assert any("out of luck" in line and "north" in line for line in abandoned)
    assert "method_digest" not in text
