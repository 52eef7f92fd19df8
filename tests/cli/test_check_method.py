"""``check METHOD`` runs the conformance kit and tells each result in a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.distributions import install
from testing.toy_methods import NeverLearns, Sound, subject

from harness.testing import CHECKS, Subject

TOY = """
from harness import Method, hookimpl

@hookimpl
def harness_methods():
    return [Method(name="toy", reward="testing.toy_methods:{reward}", config="testing.toy_methods:SoundConfig")]
"""


@pytest.fixture
def toy(monkeypatch):
    """Let every name of a method stand for a toy."""

    def use(reward):
        monkeypatch.setattr(Subject, "named", classmethod(lambda _cls, _name: subject(reward)))

    return use


@pytest.fixture
def few(monkeypatch):
    """Those of the kit that show every outcome; all of them are run by the slow test below."""
    checks = [check for check in CHECKS if check.name in ("config", "metrics", "learns", "episodes")]
    monkeypatch.setattr("harness.testing.runner.CHECKS", checks)
    return checks


def test_one_line_for_each_check_and_their_sum(harness, toy, few):
    toy(Sound)
    code, output, errors = harness("check", "rnd")
    assert (code, errors) == (0, "")
    *lines, total = output.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["rnd"] * len(few)
    passed = [line for line in lines if " passed " in line]
    assert any("learns" in line and "compared with what was not" in line for line in passed)
    assert total.startswith(f"rnd: {len(passed)} passed")


@pytest.mark.usefixtures("few")
def test_a_failed_check_says_what_was_expected_and_what_came(harness, toy):
    toy(NeverLearns)
    code, output, _ = harness("check", "rnd")
    assert code == 1
    (line,) = [line for line in output.splitlines() if "failed" in line and "learns" in line]
    assert "expected the bonus of visited states to fall behind that of new ones by 10%" in line
    assert line.endswith("got 0.0%")
    assert "1 failed" in output.splitlines()[-1]


def test_as_json_beside_a_suite(workplace, harness, toy, few):
    toy(NeverLearns)
    code, output, _ = harness("check", "rnd", "small.yaml", "--no-build", "--json")
    assert code == 1
    suite, method = json.loads(output)
    assert method["method"] == "rnd"
    assert suite == {"file": "small.yaml", "runs": 8, "problems": []}
    assert {check["check"]: check["outcome"] for check in method["checks"]}["learns"] == "failed"
    assert [check["check"] for check in method["checks"]] == [check.name for check in few]


def test_algorithms_and_families_are_examined_too(harness):
    code, output, errors = harness("check", "a2c", "--json")
    assert (code, errors) == (0, "")
    (algorithm,) = json.loads(output)
    code, output, errors = harness("check", "deep_sea", "--kind", "environment", "--json")  # a suite of this name is left out
    assert (code, errors) == (0, "")
    (family,) = json.loads(output)
    assert (algorithm["algorithm"], family["environment"]) == ("a2c", "deep_sea")
    assert {check["check"]: check["outcome"] for check in algorithm["checks"]}["resume"] == "passed"
    outcomes = {check["check"]: check["outcome"] for check in family["checks"]}
    assert outcomes["state"] == "passed"
    assert set(outcomes.values()) == {"passed"}


def test_unknown_method_gets_the_nearest_name_before_anything_is_examined(workplace, harness):
    code, output, errors = harness("check", "rnd", "rdn")
    assert (code, output) == (2, "")
    assert errors.startswith("error: unknown suite, method, algorithm or environment 'rdn': did you mean 'rnd'?")


def test_a_path_is_a_suite(workplace, harness):
    (workplace / "rnd").write_text((workplace / "small.yaml").read_text())
    assert harness("check", "./rnd", "--no-build")[1] == "./rnd: good, 8 runs\n"
    code, _, errors = harness("check", "suites/rnd")
    assert code == 2
    assert "suites/rnd: no such file" in errors


def test_a_bad_suite_beside_a_method_stops_before_the_method(workplace, harness):
    (workplace / "wrong.yaml").write_text("suite: wrong")
    code, output, errors = harness("check", "rnd", "wrong.yaml")
    assert (code, output) == (2, "")
    assert "wrong.yaml" in errors


@pytest.mark.slow
def test_an_installed_plugin_in_a_process_of_its_own_without_pytest(workplace):
    source = TOY.format(reward="TargetDrifts")
    blocked = workplace / "pytest.py"
    blocked.write_text("raise ImportError('the kit must not need pytest')")
    install(workplace, "toy-package", "0.1", {"toy": "toy_entry"}, toy_entry=source)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(workplace), str(Path(__file__).parents[1])])}
    command = [sys.executable, "-m", "harness", "check", "toy"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    (failed,) = [line for line in done.stdout.splitlines() if "failed  " in line]
    assert "frozen" in failed
    assert "in target after two updates" in failed


def test_a_name_that_a_suite_has_too_means_both(harness):
    from harness.cli.meanings import meanings

    assert meanings("crafter") == [("suite", "crafter"), ("environment", "crafter")]
    assert meanings("crafter", "environment") == [("environment", "crafter")]
    assert meanings("suites/crafter.yaml") == [("suite", "suites/crafter.yaml")]
    assert harness("check", "quick", "--no-build")[:2] == (0, "quick: good, 30 runs\n")
    code, _, errors = harness("check", "crafter", "--kind", "method")
    assert code == 2
    assert errors.startswith("error: unknown method 'crafter'")
