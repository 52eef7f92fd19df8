"""What a report shows of the results: methods and tasks by name, new names, an order, several folders side by side."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from report.synthetic import write_run, write_suite

from harness.analysis.baseline import choose_baseline
from harness.cli import main
from harness.errors import ResultsError, UnknownNameError, UserError
from harness.registry import installed
from harness.report.assembly import assemble
from harness.report.build import build_report
from harness.report.folders import NamedFolder
from harness.report.inputs import ReportInputs
from harness.report.rendering import markdown_page
from harness.report.selection import Selection
from harness.runs.results import read_results

METHODS = {"ppo": 3.0, "rnd": 5.0, "snd": 6.0}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_suite(tmp_path_factory.mktemp("selection") / "results", METHODS, seeds=3)


def table(out: Path, name: str) -> list[dict[str, str]]:
    with (out / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def report(results: Path | list[Any], out: Path, **options: Any) -> Path:
    folders = results if isinstance(results, list) else [results]
    build_report(folders, out, **{"formats": ["csv"], **options})
    return out


def text_of(folders: list[Any], selection: Selection | None = None, *, compare: bool = False) -> str:
    """The report as Markdown, whose figures nobody draws."""
    inputs = ReportInputs(folders, (), None, installed(), selection=selection, compare=compare)
    return markdown_page(assemble(inputs.analyse(), installed(), "A report"))


def methods_of(out: Path, name: str = "aggregates") -> list[str]:
    return list(dict.fromkeys(row["method"] for row in table(out, name)))


@pytest.fixture(scope="module")
def plain(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(results, tmp_path_factory.mktemp("plain"))


def test_methods_and_tasks_are_chosen_by_name(results: Path, plain: Path, tmp_path: Path) -> None:
    out = report(results, tmp_path, selection=Selection(methods=["ppo", "rnd"], tasks=["north"]))
    assert methods_of(out) == ["ppo", "rnd"]
    assert {row["task"] for row in table(out, "scores")} == {"north"}
    text = text_of([results], Selection(methods=["ppo", "rnd"], tasks=["north"]))
    assert "snd" not in text
    assert "south" not in text
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (out, plain)]
    assert manifests[0]["fingerprint"] != manifests[1]["fingerprint"]
    of_north = [row for row in table(plain, "tasks") if row["task"] == "north" and row["method"] != "snd"]
    assert table(out, "tasks") == of_north


def test_a_name_that_nothing_has_is_refused_with_the_nearest(results: Path, tmp_path: Path) -> None:
    for selection in (Selection(methods=["rdn"]), Selection(order=["rdn"]), Selection(names={"rdn": "RND"})):
        with pytest.raises(UnknownNameError, match="unknown method 'rdn': did you mean 'rnd'"):
            report(results, tmp_path, selection=selection)
    with pytest.raises(UnknownNameError, match="unknown task 'nort': did you mean 'north'"):
        report(results, tmp_path, selection=Selection(tasks=["nort"]))
    assert not list(tmp_path.iterdir())


def test_new_names_change_no_number(results: Path, plain: Path, tmp_path: Path) -> None:
    out = report(results, tmp_path, selection=Selection(names={"rnd": "Zero & <RND>", "ppo": "PPO"}))
    assert methods_of(out) == ["PPO", "Zero & <RND>", "snd"]
    for name in ("aggregates", "improvement", "curves", "tasks", "profiles", "comparisons", "ranks"):
        text = (out / f"{name}.csv").read_text().replace("Zero & <RND>", "rnd").replace("PPO", "ppo")
        assert text == (plain / f"{name}.csv").read_text(), name


def test_an_order_changes_no_number(results: Path, plain: Path, tmp_path: Path) -> None:
    out = report(results, tmp_path, selection=Selection(order=["snd,ppo"]))
    assert methods_of(out) == ["snd", "ppo", "rnd"]
    assert methods_of(out, "tasks") == ["snd", "ppo", "rnd"]
    for name in ("aggregates", "improvement", "curves", "tasks", "profiles", "comparisons", "ranks"):
        lines = (out / f"{name}.csv").read_text().splitlines()
        assert sorted(lines) == sorted((plain / f"{name}.csv").read_text().splitlines()), name
    text = text_of([results], Selection(order=["snd,ppo"]))
    assert re.search(r"^\| Task +\| snd +\| ppo +\| rnd +\|", text, re.MULTILINE)


def test_an_order_may_name_what_was_renamed_either_way(results: Path, tmp_path: Path) -> None:
    names = {"rnd": "RND", "snd": "SND"}
    out = report(results, tmp_path, selection=Selection(names=names, order=["SND", "rnd"]), baseline="rnd")
    assert methods_of(out) == ["SND", "RND", "ppo"]
    assert {row["baseline"] for row in table(out, "improvement")} == {"RND"}


def test_two_methods_cannot_have_one_name(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'ppo' and 'rnd' of suite synthetic cannot both be called 'ppo'"):
        report(results, tmp_path, selection=Selection(names={"rnd": "ppo"}))


def test_nothing_left_is_refused(results: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "more", "west", "icm", 0)
    folders = [results, tmp_path / "more"]
    with pytest.raises(ResultsError, match="none is of these methods on these tasks"):
        report(folders, tmp_path / "out", selection=Selection(methods=["icm"], tasks=["north"]))


def test_the_baseline_is_found_by_its_base_name(results: Path, tmp_path: Path) -> None:
    """The configuration with scores on most tasks counts, of those that share the name."""
    more = tmp_path / "more"
    for seed in range(3):
        write_run(more, "north", "ppo", seed, 1.0, budget=5000)
    found = read_results([results, more])
    assert choose_baseline(found, "synthetic", "ppo") == "ppo · 10k steps"
    assert choose_baseline(found, "synthetic", None) == "ppo · 10k steps"
    assert choose_baseline(found, "synthetic", "ppo · 5k steps") == "ppo · 5k steps"
    with pytest.raises(UnknownNameError, match="did you mean 'ppo"):
        choose_baseline(found, "synthetic", "ppp")


def test_a_base_name_is_renamed_with_what_differs(results: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "more", "north", "ppo", 0, 1.0, budget=5000)
    out = report([results, tmp_path / "more"], tmp_path / "out", selection=Selection(names={"ppo": "PPO"}, methods=["ppo"]))
    assert methods_of(out, "tasks") == ["PPO · 10k steps", "PPO · 5k steps"]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another place with the same baseline, a better rnd with another setting and version, and a method more."""
    folder = tmp_path_factory.mktemp("new") / "results"
    write_suite(folder, {"ppo": 3.0}, seeds=3)
    write_suite(folder, {"rnd": 9.0}, seeds=4, combine={"intrinsic_weight": 0.5}, provenance={"packages": {"torch": "9"}})
    return write_suite(folder, {"icm": 4.0}, seeds=3)


def test_folders_with_names_are_kept_apart(results: Path, new: Path, plain: Path, tmp_path: Path) -> None:
    out = report([NamedFolder("old", results), NamedFolder("new", new)], tmp_path)
    assert methods_of(out) == ["ppo · old", "icm · new", "ppo · new", "rnd · old", "rnd · new", "snd · old"]
    assert {row["baseline"] for row in table(out, "improvement")} == {"ppo · old"}
    merged = [
        row | {"method": row["method"].removesuffix(" · old")} for row in table(out, "aggregates") if "old" in row["method"]
    ]
    assert merged == table(plain, "aggregates")
    assert not (out / "changes.csv").exists()


@pytest.mark.slow
def test_the_same_folder_twice_is_no_difference(results: Path, tmp_path: Path) -> None:
    out = report([NamedFolder("a", results), NamedFolder("b", results)], tmp_path, compare=True)
    assert {float(row["value"]) for row in table(out, "changes")} == {0.0}
    assert table(out, "changes")[0]["task"] == ""


def test_a_comparison_says_what_changed(results: Path, new: Path, tmp_path: Path) -> None:
    out = report([NamedFolder("old", results), NamedFolder("new", new)], tmp_path, compare=True)
    rows = {(row["method"], row["task"]): row for row in table(out, "changes")}
    assert set(rows) == {(method, task) for method in ("ppo", "rnd") for task in ("", "north", "south")}
    found = rows["rnd", "north"]
    assert float(found["value"]) == pytest.approx(float(found["value_after"]) - float(found["value_before"]))
    assert 0 < float(found["low"]) < float(found["value"]) < float(found["high"])
    assert (found["runs_before"], found["runs_after"], found["before"], found["after"]) == ("3", "4", "rnd · old", "rnd · new")
    text = text_of([NamedFolder("old", results), NamedFolder("new", new)], compare=True)
    assert "What changed from old to new" in text
    assert "ppo: the same settings in old and new." in text
    assert "rnd in new: higher on north and south." in text
    assert "ppo in new: undecided on north and south." in text
    assert "rnd: intrinsic_weight 1.0, then 0.5" in text.replace("combine.", "").replace("\\", "")
    assert "rnd was trained with package torch 2.13.0, then 9" in text
    assert "Only one of the two has icm · new and snd · old." in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{old}", "new={new}"], "some folders have names and others have none"),
        (["{old}", "{new}", "--compare"], "a comparison is of two folders with different names"),
        (["old={old}", "--compare"], "there are 1 name"),
        (["={old}"], "is written as NAME=DIR"),
        (["old="], "is written as NAME=DIR"),
        (["{old}", "--rename", "rnd"], "is written as OLD=NEW"),
        (["{old}", "--rename", "rnd=a", "--rename", "rnd=b"], "'rnd' is given two names"),
        (["old={old}/nowhere", "new={new}"], "no such results directory"),
        (["{old}", "--method", "rdn"], "unknown method 'rdn': did you mean 'rnd'?"),
    ],
)
def test_mistakes_on_the_command_line(
    results: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    filled = [argument.format(old=results, new=new) for argument in arguments]
    assert main(["report", *filled, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_line_has_it_all(results: Path, new: Path, tmp_path: Path) -> None:
    options = ["--compare", "-m", "ppo", "-m", "rnd", "-t", "north", "--rename", "rnd=RND", "--order", "RND,ppo"]
    assert main(["report", f"old={results}", f"new={new}", *options, "--out", str(tmp_path), "--format", "csv"]) == 0
    assert methods_of(tmp_path) == ["RND · old", "RND · new", "ppo · old", "ppo · new"]
    assert {row["method"] for row in table(tmp_path, "changes")} == {"ppo", "rnd"}
