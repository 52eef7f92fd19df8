"""What is installed, one thing in full, and suites that are checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from support.distributions import install

from harness.cli.listing import KINDS


def test_list_names_everything_with_its_plugin(workplace, harness):
    code, output, errors = harness("list", "--dir", workplace)
    assert (code, errors) == (0, "")
    for expected in ("rnd", "Burda et al. 2018", "deep_sea", "ppo", "sb3", "local", "small.yaml", "exploration-harness"):
        assert expected in output


def test_list_as_json(workplace, harness):
    _, output, _ = harness("list", "methods", "--json")
    (rnd,) = [method for method in json.loads(output)["methods"] if method["name"] == "rnd"]
    assert rnd["plugin"]["distribution"] == "exploration-harness"
    assert rnd["facts"]["works with"] == "off_policy, on_policy"


def test_list_suites_shows_what_is_in_them_and_what_is_wrong(workplace, harness):
    (workplace / "wrong.yaml").write_text("suite: [")
    _, output, _ = harness("list", "suites", "--dir", workplace, "--json")
    small, wrong = json.loads(output)["suites"]
    assert small["tasks"] == ["n4", "n5"]
    assert small["methods"] == ["ppo", "rnd"]
    assert (small["seeds"], small["steps"], small["profiles"]) == (2, 2048, ["tiny"])
    assert "wrong.yaml:1" in wrong["problem"]
    code, output, _ = harness("list", "suites", "--dir", workplace)
    assert code == 0
    assert "not YAML" in output


def test_list_suites_tells_what_they_take_or_that_nobody_knows(workplace, harness):
    from harness.planning.load import load
    from harness.runs.speeds import settings_digest

    _, output, _ = harness("list", "suites", "--dir", workplace)
    assert "2 seeds, 8 runs of 2,048 steps" in output
    assert "unknown, no speed recorded of ppo, rnd" in " ".join(output.split())
    digests = {spec.method: settings_digest(spec) for spec in load("small.yaml").runs}
    rows = [f"small,,deep_sea,{method},{digest},2,a machine,a date" for method, digest in digests.items()]
    header = "suite,profile,family,method,settings,steps_per_second,machine,date"
    (workplace / "speeds.csv").write_text("\n".join([header, *rows, ""]))
    (small,) = json.loads(harness("list", "suites", "--dir", workplace, "--json")[1])["suites"]
    assert small["hours"] == 8 * 2048 / 2 / 3600
    assert (small["runs"], small["measured"], small["unmeasured"]) == (8, ["a machine, a date"], [])
    _, output, _ = harness("list", "suites", "--dir", workplace, "--profile", "tiny")
    assert "1 seed, 4 runs of 512 steps" in output
    assert "about 0.28 hours, one run after another (speeds: a machine, a date)" in " ".join(output.split())
    (workplace / "speeds.csv").write_text("speed\n3\n")
    code, _, errors = harness("list", "suites", "--dir", workplace)
    assert code == 2
    assert "is no table of measured speeds" in errors


def test_list_suites_finds_those_of_the_folder_and_of_packages(workplace, harness):
    (workplace / "suites").mkdir()
    (workplace / "small.yaml").rename(workplace / "suites" / "small.yaml")
    everything = json.loads(harness("list", "--json")[1])
    assert [suite["suite"] for suite in everything["suites"]] == ["small"]  # quick, whatever is installed
    found = [suite["suite"] for suite in json.loads(harness("list", "suites", "--json")[1])["suites"]]
    assert found[0] == "small"
    assert set(found) >= {"small", "quick", "atari_hard"}  # this checkout is installed editable


def test_show_gives_every_setting_of_a_method(harness):
    _, output, _ = harness("show", "rnd", "--json")
    (rnd,) = json.loads(output)
    from harness_rnd.config import RNDConfig

    assert [setting["name"] for setting in rnd["settings"]] == list(RNDConfig.model_fields)
    assert all(setting["meaning"] for setting in rnd["settings"])
    assert rnd["presets"][0]["name"] == "burda2018"
    assert all(preset["source"] for preset in rnd["presets"])
    _, words, _ = harness("show", "rnd")
    for name in RNDConfig.model_fields:
        assert name in words
    assert "preset burda2018 (default)" in words


def test_show_finds_every_kind(harness):
    for name, kind in (
        ("ppo", "algorithm"),
        ("deep_sea", "environment"),
        ("sb3", "network"),
        ("local", "executor"),
        ("overview", "report section"),
    ):
        code, output, _ = harness("show", name)
        assert code == 0
        assert output.splitlines()[0].split(maxsplit=1) == [name, kind]


@pytest.mark.usefixtures("built_here")
def test_check_tells_of_all_files(workplace, harness):
    (workplace / "wrong.yaml").write_text("suite: wrong")
    code, output, errors = harness("check", "small.yaml", "wrong.yaml")
    assert code == 2
    assert output == "small.yaml: good, 8 runs\n"
    assert all(line.startswith("error: wrong.yaml") for line in errors.splitlines())
    code, output, _ = harness("check", "small.yaml", "wrong.yaml", "--no-build", "--json")
    good, bad = json.loads(output)
    assert code == 2
    assert (good["runs"], good["problems"]) == (8, [])
    assert bad["problems"]
    assert harness("check", "small.yaml", "--no-build", "--profile", "tiny")[1] == "small.yaml: good, 4 runs\n"


def test_check_explains_where_each_value_comes_from(workplace, harness):
    options = ("--explain", "--no-build", "--set", "steps=1024", "--profile", "tiny")
    code, output, _ = harness("check", "small.yaml", *options, "--json")
    assert code == 0
    (found,) = json.loads(output)
    assert found["settings"]["methods.rnd.config.feature_dim"] == {"value": 16, "kind": "suite", "origin": "small.yaml:11"}
    assert found["settings"]["steps"] == {"value": 1024, "kind": "option", "origin": "--set steps=1024"}
    assert found["settings"]["seeds"]["kind"] == "profile"
    _, output, _ = harness("check", "small.yaml", *options)
    (line,) = [line for line in output.splitlines() if line.startswith("methods.rnd.config.bonus_gamma")]
    assert line.split(maxsplit=2) == ["methods.rnd.config.bonus_gamma", "0.99", "preset 'burda2018' of method 'rnd'"]


def test_check_looks_at_what_only_tuning_and_starting_need(workplace, harness):
    text = (workplace / "small.yaml").read_text()
    (workplace / "spaced.yaml").write_text(text + "tune: {space: {rnd: {config: {learning_rat: [1]}}}}\n")
    (workplace / "begun.yaml").write_text(text.replace("reward: rnd,", "reward: rnd, snapshot: 'gone/{task}',"))
    for name, message in (("spaced", "did you mean 'learning_rate'?"), ("begun", "no run at gone/n4: run the suite")):
        code, _, errors = harness("check", f"{name}.yaml")
        assert code == 2
        assert message in errors
        assert errors.startswith(f"error: {name}.yaml:")
    listed = json.loads(harness("list", "suites", "--dir", workplace, "--json")[1])["suites"]
    assert [suite["problem"] for suite in listed] == ["", "", ""]
    for command in (("run", "begun.yaml"), ("status", ".", "--suite", "begun.yaml")):
        code, _, errors = harness(*command)
        assert code == 2
        assert "begun.yaml:11: methods.rnd.snapshot: no run at gone/n4" in errors


def test_schema_is_a_json_schema(harness):
    _, output, _ = harness("schema")
    assert "tasks" in json.loads(output)["properties"]


def test_version(harness):
    assert re.fullmatch(r"harness 0\.1\.0( \(commit [0-9a-f]{12}(-dirty)?\))?\n", harness("--version")[1])


def test_no_command_prints_help(harness):
    code, output, _ = harness()
    assert code == 0
    assert "HARNESS_DISABLE_PLUGINS" in output


def test_broken_plugin_is_named_and_breaks_only_what_needs_it(workplace):
    install(workplace, "ill-package", "0.1", {"ill": "ill"}, ill="import a_module_that_is_not_there")
    needy = (workplace / "small.yaml").read_text().replace("reward: rnd", "reward: ill")
    (workplace / "needy.yaml").write_text(needy)

    def call(*arguments, **environment):
        command = [sys.executable, "-m", "harness", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(workplace), **environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    broken = "plugin 'ill' (ill-package 0.1) is broken: ModuleNotFoundError: No module named 'a_module_that_is_not_there'"
    code, output, errors = call("list", "methods")
    assert (code, errors) == (0, "")
    assert output.splitlines()[-1].startswith(broken)
    assert call("check", "small.yaml", "--no-build")[0] == 0
    code, _, errors = call("check", "needy.yaml")
    assert code == 2
    assert "unknown method 'ill'" in errors
    assert broken in errors
    assert len(errors.splitlines()) == 1
    _, output, _ = call("list", "methods", HARNESS_DISABLE_PLUGINS="ill")
    assert output.splitlines()[-1] == "plugin 'ill' is disabled by HARNESS_DISABLE_PLUGINS"


def test_check_and_run_say_where_bf16_is_only_imitated(workplace, harness, tmp_path, monkeypatch):
    from harness import experiment
    from harness.execution import instructions, measuring
    from harness.runs.status import read_plan
    from harness.training.estimate import ResourceEstimate

    def started(plan, results, *, on_event, **options):
        on_event(experiment.PlanStarted(read_plan(plan.runs, results).runs))
        raise KeyboardInterrupt

    (tmp_path / "cpuinfo").write_text("flags\t: avx2\n")
    monkeypatch.setattr(instructions, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(measuring, "measure", lambda spec, device: ResourceEstimate(1 << 30, 0, 100.0))
    monkeypatch.setattr(experiment, "run", started)
    options = ("--profile", "tiny", "--set", "precision=bf16")
    code, output, _ = harness("check", "small.yaml", "--no-build", *options)
    assert code == 0
    assert "small.yaml: precision bf16 (ppo, rnd): this CPU has no instructions for it" in output
    (found,) = json.loads(harness("check", "small.yaml", "--no-build", *options, "--json")[1])
    assert len(found["notices"]) == 1
    here = ("--method", "ppo", *options, "--device", "cpu")
    for more in (("--dry-run",), ()):
        assert harness("run", "small.yaml", *here, *more)[1].count("precision bf16 (ppo): this CPU") == 1
    assert "this CPU" not in harness("run", "small.yaml", *here, "--executor", "slurm")[1]
    assert "this CPU" not in harness("run", "small.yaml", "--profile", "tiny", "--dry-run")[1]


@pytest.mark.parametrize(
    ("command", "choices"),
    [
        ("check", "suite|method|algorithm|environment"),
        ("new-plugin", "<method|environment|algorithm>"),
        ("run", "<auto|cpu|cuda|cuda:N>"),
        ("list", ", ".join(KINDS)),
    ],
)
def test_help_lists_the_choices(harness, monkeypatch, command, choices):
    monkeypatch.setenv("COLUMNS", "200")
    code, output, _ = harness(command, "--help")
    assert code == 0
    assert choices in " ".join(output.replace("│", " ").split())


def test_fault_paragraphs_of_help_fill_narrow_lines(harness, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, after = harness("new-suite", "--help")[1].split("Beside it goes")
    paragraph = ["Beside it goes" + after.splitlines()[0], *map(str.strip, after.splitlines()[1:])]
    paragraph = paragraph[: paragraph.index("")]
    assert len(paragraph) > 2
    for line, following in pairwise(paragraph):
        word = following.split()[0]
        assert len(f" {line.strip()} {word}") > 78, f"{word!r} had room in the line above"
