"""Packages that nobody here knows, every example and a new one, are installed by pip and used as users would use them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

pytestmark = (
    pytest.mark.slow
)  # pip takes a minute; what ``new-plugin`` writes is tried every day in ``test_written_plugins.py``

ROOT = Path(__file__).parents[2]
PREFIX = "harness_"
EXAMPLES = sorted(folder.name.removeprefix(PREFIX) for folder in (ROOT / "examples").glob(f"{PREFIX}*"))
WRITTEN = {"fresh": "method", "place": "environment", "student": "algorithm"}
"""Packages that ``new-plugin`` writes, with what they provide."""

PACKAGES = [*EXAMPLES, *WRITTEN]
TRAINING = ("double_dqn", "student")
"""Packages whose own tests train for a minute or two."""

LEAST = {"methods": 15, "environments": 10, "algorithms": 10}
"""How many checks must apply, at least, to each kind that there is a conformance kit for."""
WITH_SUITE = [name for name in EXAMPLES if (ROOT / "examples" / f"{PREFIX}{name}" / "suites").is_dir()]
WITH_SUITE += WRITTEN


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``site/``, into which every package is installed, and the sources of each."""
    place = tmp_path_factory.mktemp("plugins")
    ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "results")
    for name in EXAMPLES:
        shutil.copytree(ROOT / "examples" / f"{PREFIX}{name}", place / name, ignore=ignored)
    for name, kind in WRITTEN.items():
        call(place, "-m", "harness", "new-plugin", name, "--kind", kind, "--dir", name)
    arguments = ["--quiet", "--no-deps", "--disable-pip-version-check", "--target", "site"]
    if find_spec("setuptools"):
        arguments.append("--no-build-isolation")
    call(place, "-m", "pip", "install", *arguments, *(f"./{name}" for name in PACKAGES))
    return place


@pytest.fixture(scope="module")
def provided(installed: Path) -> dict[str, dict[str, str]]:
    """For each package what the harness lists as provided by it: kinds by name."""
    listed: dict[str, list[dict[str, Any]]] = json.loads(call(installed, "-m", "harness", "list", "--json"))
    found: dict[str, dict[str, str]] = {name: {} for name in PACKAGES}
    for kind, entry in ((kind, entry) for kind, entries in listed.items() for entry in entries):
        package = (entry.get("plugin") or {}).get("distribution", "").removeprefix("harness-").replace("-", "_")
        if package in found:
            found[package][entry["name"]] = kind
    return found


def call(place: Path, *arguments: str, code: int = 0) -> str:
    """Run Python in that folder, with what is installed there, and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(place / "site"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_each_is_listed_with_what_it_provides(provided: dict[str, dict[str, str]]) -> None:
    assert provided["simhash"] == {"simhash": "methods"}
    assert provided["tiny_network"] == {"tiny": "networks"}
    assert provided["cliff"] == {"cliff": "environments"}
    assert provided["section"] == {"training_time": "report_sections"}
    assert provided["tmaze"] == {"tmaze": "environments"}
    assert provided["double_dqn"] == {"double_dqn": "algorithms"}
    assert {name: provided[name] for name in WRITTEN} == {name: {name: f"{kind}s"} for name, kind in WRITTEN.items()}


def test_each_is_a_plugin_in_use(installed: Path) -> None:
    plugins = json.loads(call(installed, "-m", "harness", "list", "plugins", "--json"))["plugins"]
    in_use = json.dumps([plugin for plugin in plugins if plugin["state"] == "in use"])
    assert [name for name in PACKAGES if f'"harness-{name.replace("_", "-")}"' not in in_use] == []


@pytest.fixture(scope="module")
def checked(installed: Path, provided: dict[str, dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """What the conformance kits say of everything that they examine, by name; one process, because it takes long to load."""
    names = [name for kinds in provided.values() for name, kind in kinds.items() if kind in LEAST]
    found = json.loads(call(installed, "-m", "harness", "check", *names, "--json"))
    examined = [one for one in found if "checks" in one]  # packages bring suites of these names, which are checked as well
    return {next(one[kind] for kind in one if kind != "checks"): one["checks"] for one in examined}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_it_provides_passes_its_check(
    checked: dict[str, list[dict[str, str]]], provided: dict[str, dict[str, str]], package: str
) -> None:
    for name, kind in ((name, kind) for name, kind in provided[package].items() if kind in LEAST):
        outcomes = [check["outcome"] for check in checked[name]]
        assert [check["check"] for check in checked[name] if check["outcome"] == "failed"] == []
        assert outcomes.count("passed") >= LEAST[kind]
        missing = {check["check"] for check in checked[name] if check["outcome"] != "passed"}
        assert kind != "environments" or missing <= {"pictures", "places"}  # it need neither be drawn nor tell positions


def test_those_that_do_not_train_pass_their_own_tests(installed: Path) -> None:
    """In one process, where none must get into another's way."""
    packages = [name for name in PACKAGES if name not in TRAINING]
    told = call(installed, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--rootdir", ".", *packages)
    assert " passed" in told.splitlines()[-1]
    assert [name for name in packages if f"\n{name}/tests/test_" not in told] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_it_passes_its_own_tests(installed: Path, package: str) -> None:
    told = call(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", package)
    assert " passed" in told.splitlines()[-1]


@pytest.mark.parametrize("package", WITH_SUITE)
def test_it_runs_in_its_suite(installed: Path, provided: dict[str, dict[str, str]], package: str) -> None:
    """The suite's last method on its first task, which the run says the package had a part in."""
    (file,) = (installed / package / "suites").glob("*.yaml")
    suite = YAML(typ="safe").load(file)
    task, method = next(iter(suite["tasks"])), list(suite["methods"])[-1]
    executors = [name for name, kind in provided[package].items() if kind == "executors"]
    only = ["--profile", "smoke", "--task", task, "--method", method, "--workers", "1", "--no-report"]
    only += ["--executor", *executors] if executors else []
    call(installed, "-m", "harness", "run", str(file), *only)
    (record,) = (installed / "results" / suite["suite"]).rglob("run.json")
    run = json.loads(record.read_text())
    assert run["status"]["state"] == "finished"
    if not executors:  # who carried a run has no part in its numbers
        assert f"harness-{package.replace('_', '-')} 0.1.0" in run["provenance"]["plugins"].values()
    header, *rows = (record.parent / "progress.csv").read_text().splitlines()
    assert rows
    assert ("intrinsic/bonus_mean" in header) == (run["spec"]["reward"] is not None)


def test_the_executor_carries_a_suite_and_says_what_it_cannot_do(installed: Path) -> None:
    suite = ("inline/suites/inline.yaml", "--profile", "smoke", "--method", "ppo_rnd", "--executor", "inline")
    told = call(installed, "-m", "harness", "run", *suite, "--no-report", "--fresh")
    assert "1 run: 1 finished" in told
    command = [sys.executable, "-m", "harness", "tune", *suite]
    environment = {**os.environ, "PYTHONPATH": str(installed / "site")}
    done = subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: executor 'inline' cannot tune: it does not start and stop runs one by one; use --executor local"
    )
