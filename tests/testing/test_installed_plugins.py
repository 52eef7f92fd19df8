"""Plugins that nobody here knows, the examples and a new one, are installed by pip and used as users would use them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``site/``, into which all of them are installed, and the sources of each."""
    place = tmp_path_factory.mktemp("plugins")
    ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "results")
    for name in ("simhash", "section", "inline"):
        shutil.copytree(ROOT / "examples" / f"harness_{name}", place / name, ignore=ignored)
    call(place, "-m", "harness", "new-plugin", "fresh", "--dir", "fresh")
    arguments = ["--quiet", "--no-deps", "--disable-pip-version-check", "--target", "site"]
    if find_spec("setuptools"):
        arguments.append("--no-build-isolation")
    call(place, "-m", "pip", "install", *arguments, "./simhash", "./section", "./inline", "./fresh")
    return place


def call(place: Path, *arguments: str, code: int = 0) -> str:
    """Run Python in that folder, with what is installed there, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(place / "site"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_both_are_listed_with_where_they_come_from(installed: Path) -> None:
    listed = json.loads(call(installed, "-m", "harness", "list", "methods", "--json"))["methods"]
    origins = {method["name"]: method["plugin"]["distribution"] for method in listed}
    assert origins["simhash"] == "harness-simhash"
    assert origins["fresh"] == "harness-fresh"


@pytest.mark.parametrize("name", ["simhash", "fresh"])
def test_they_pass_their_check(installed: Path, name: str) -> None:
    (method,) = json.loads(call(installed, "-m", "harness", "check", name, "--json"))
    assert [check for check in method["checks"] if check["outcome"] == "failed"] == []
    assert sum(check["outcome"] == "passed" for check in method["checks"]) >= 15


@pytest.mark.parametrize("name", ["simhash", "section", "inline", "fresh"])
def test_they_pass_their_own_tests(installed: Path, name: str) -> None:
    told = call(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", name)
    assert " passed" in told.splitlines()[-1]


@pytest.mark.parametrize("name", ["simhash", "fresh"])
def test_they_run_in_a_suite(installed: Path, name: str) -> None:
    suite = f"{name}/suites/{name}.yaml"
    only = ["--profile", "smoke", "--task", "n10", "--method", f"ppo_{name}", "--workers", "1", "--no-report"]
    call(installed, "-m", "harness", "run", suite, *only)
    (record,) = (installed / "results" / name).rglob("run.json")
    run = json.loads(record.read_text())
    assert run["status"]["state"] == "finished"
    assert run["spec"]["reward"]["name"] == name
    header, *rows = (record.parent / "progress.csv").read_text().splitlines()
    assert "intrinsic/bonus_mean" in header
    assert rows


def test_the_executor_carries_a_suite_and_says_what_it_cannot_do(installed: Path) -> None:
    suite = ("inline/suites/inline.yaml", "--profile", "smoke", "--method", "ppo_rnd", "--executor", "inline")
    told = call(installed, "-m", "harness", "run", *suite, "--no-report")
    assert "1 run: 1 finished" in told
    command = [sys.executable, "-m", "harness", "tune", *suite]
    environment = {**os.environ, "PYTHONPATH": str(installed / "site")}
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: executor 'inline' cannot tune: it does not start and stop runs one by one; use --executor local\n"
    )
