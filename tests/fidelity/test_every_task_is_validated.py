"""Every task of every suite is compared with its original or solved by an oracle, or its page says that there is neither."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
ENTRIES: list[tuple[str, str, dict[str, Any]]] = list(GENERATE["validations"]())
TESTS = {each["test"] for _, _, entry in ENTRIES for kind, each in entry.items() if kind != "neither"}


def test_every_task_has_exactly_one_entry():
    counted = Counter((suite, task) for suite, task, _ in ENTRIES)
    tasks = {(suite, task) for suite, names in GENERATE["tasks_of_suites"]().items() for task in names}
    assert tasks == counted.keys(), f"without an entry in {GENERATE['VALIDATED'].name}: {tasks - counted.keys()}"
    assert set(counted.values()) == {1}


def test_no_entry_is_about_nothing():
    named = {
        (suite, task)
        for entry in GENERATE["YAML"](typ="safe").load(GENERATE["VALIDATED"])
        for suite in entry["suites"]
        for task in entry["tasks"]
    }
    used = {(suite, task) for suite, task, _ in ENTRIES}
    assert {suite for suite, _ in named} == {suite for suite, _ in used}
    assert {task for _, task in named} == {task for _, task in used}


@pytest.mark.parametrize(("suite", "task", "entry"), [pytest.param(*e, id=f"{e[0]}-{e[1]}") for e in ENTRIES])
def test_an_entry_says_what_is_known(suite: str, task: str, entry: dict[str, Any]):
    assert entry.keys() in ({"compared"}, {"solved"}, {"compared", "solved"}, {"neither"})
    if "neither" in entry:
        assert entry["neither"] in " ".join((ROOT / "docs" / "suites" / f"{suite}.md").read_text().split())
    for each in (entry[kind] for kind in ("compared", "solved") if kind in entry):
        assert all(each.values())
        file, _, name = each["test"].partition("::")
        defined = {node.name for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)}
        assert name.partition("[")[0] in defined, f"{file} has no such test"
    if "solved" in entry:
        assert entry["solved"]["share"] >= 0.95


@pytest.mark.parametrize(("page", "text"), [pytest.param(*item, id=item[0].stem) for item in GENERATE["pages"]().items()])
def test_the_tables_of_pages_are_current(page: Path, text: str):
    assert text == page.read_text(), "python docs/generate.py"


@pytest.mark.slow
def test_the_tests_that_are_named_are_collected():
    files = sorted({test.partition("::")[0] for test in TESTS})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-m", "slow or not slow", *files]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    collected = set(listed) | {line.partition("[")[0] for line in listed}
    assert collected >= TESTS, sorted(TESTS - collected)
