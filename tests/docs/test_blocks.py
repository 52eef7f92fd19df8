"""Every block of code and every command line on a page is read as a reader's would be, and the slow tests run them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from support.documentation import ROOT, Block, Workplace, all_blocks, blocks, commands, harness_commands, pages
from typer.main import get_command

from harness.cli.app import app
from harness.errors import UserError
from harness.planning.load import load
from harness.suites.yaml import parse_yaml

LANGUAGES = {"bash", "python", "yaml", "toml", "text", "bibtex"}
BLOCKS = all_blocks()
NOT_RUN = {
    "README.md": 3,
    "docs/cluster.md": 11,
    "docs/environments.md": 4,
    "docs/extending/method.md": 1,
    "docs/extending/network.md": 1,
    "docs/first_hour.md": 1,
    "docs/suites/gymnasium_example.md": 1,
    "docs/trackers.md": 3,
    "docs/working.md": 2,
}
"""How many blocks of each page say why they cannot be run here."""

EXAMPLES = re.compile(r"^(examples|plugins)/")
"""Pages whose commands other tests run: tests/testing/test_installed_plugins.py those of examples."""

RUN_ELSEWHERE = {"docs/python.md": "tests/python_api/test_docs.py"}


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


# --------------------------------------------------------------------------------------------------------------------
# Every day
# --------------------------------------------------------------------------------------------------------------------
def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in BLOCKS if block.language not in LANGUAGES] == []


def test_blocks_that_are_not_run_say_why_and_are_counted() -> None:
    assert Counter(block.page for block in BLOCKS if block.reason) == NOT_RUN
    assert all(len(block.reason.split()) >= 3 for block in BLOCKS if block.reason)
    assert sum(page.read_text().count("<!-- not run") for page in pages()) == sum(NOT_RUN.values()), "a mark above no block"


QUOTED = ("docs/extending/environment.md", "docs/extending/algorithm.md")
"""Pages whose blocks are parts of files of an example; tests/docs/test_extending.py finds them there."""


def test_python_compiles() -> None:
    for block in of("python"):
        if block.page not in QUOTED:
            compile(block.code, str(block), "exec")


CANDIDATES: tuple[dict[str, Any], ...] = (
    {"environment": {"family": "gymnasium"}, "tasks": {"CartPole-v1": {}}, "algorithm": {"name": "ppo"}},
    {"environment": {"family": "gymnasium"}, "tasks": {"Pendulum-v1": {}}, "algorithm": {"name": "sac"}},
    {"environment": {"family": "atari"}, "tasks": {"pitfall": {}}, "algorithm": {"name": "ppo"}},
)
"""Suites that a part of one may be a part of."""


@pytest.mark.parametrize("block", [block for block in of("yaml") if not block.reason], ids=str)
def test_yaml_is_a_suite_or_a_part_of_one(block: Block, tmp_path: Path) -> None:
    parse_yaml(block.code, str(block))
    content = YAML(typ="safe").load(block.code)
    if block.page.startswith("examples"):
        return  # what it names is installed by tests/testing/test_installed_plugins.py, with suites that say the same
    problems = [problem for candidate in CANDIDATES if (problem := problem_of(content, candidate, block, tmp_path))]
    assert len(problems) < len(CANDIDATES), "\n".join(problems)


def problem_of(content: dict[str, Any], candidate: dict[str, Any], block: Block, folder: Path) -> str:
    """Why a part cannot be laid over a suite; empty if it can."""
    file = folder / "suite.yaml"
    if "suite" in content:
        file.write_text(block.code)
    else:
        size = {"suite": "part", "seeds": 1, "steps": 10_000_000, "evaluation": {"every": 1_000_000, "episodes": 1}}
        suite = {"methods": {"ppo": {}, "ppo_rnd": {"reward": "rnd"}}, **size, **candidate, **content}
        file.write_text(json.dumps(suite))  # YAML as well, and in the order of the page
    try:
        load(file)
    except UserError as error:
        return str(error)
    return ""


def test_every_command_line_of_harness_is_one() -> None:
    group: Any = get_command(app)
    wrong = []
    for where, arguments in harness_commands():
        name, *rest = arguments
        if name.startswith("-"):
            name, rest = "list", []  # an option of the program itself
        try:
            group.commands[name].make_context(name, rest)
        except Exception as error:  # noqa: BLE001 -- the parser's own class of mistakes has no public name
            wrong.append(f"{where}: harness {' '.join(arguments)}: {error}")
    assert wrong == []
    assert len(harness_commands()) > 60


def test_every_script_that_a_page_runs_is_there() -> None:
    scripts = {
        (str(block), word)
        for block in of("bash")
        if block.page.startswith(("docs", "README"))
        for words in commands(block.code)
        for word in words
        if word.startswith(("benchmarks/", "suites/", "tests/", "docs/"))
        and "*" not in word
        and "/extending/" not in block.page
    }
    assert len(scripts) > 20
    assert [script for script in scripts if not (ROOT / script[1]).exists()] == []


def test_where_a_package_is_tested_pytest_is_installed_with_it() -> None:
    without, tested = [], 0
    for block in (block for block in of("bash") if block.page.startswith(("docs/extending", "examples"))):
        lines = list(commands(block.code))
        if ["python", "-m", "pytest"] in [words[:3] for words in lines]:
            tested += 1
            if not any("install" in words and words[-1].endswith("[dev]") for words in lines):
                without.append(str(block))
    assert without == [], "[all] has no pytest"
    assert tested > 5


def test_every_folder_that_a_page_goes_into_is_there_or_was_made_before() -> None:
    missing, gone_into = [], 0
    for block in of("bash"):
        made = set()
        for words in commands(block.code):
            if words[:2] == ["harness", "new-plugin"]:
                made.add(f"harness_{words[2]}")
            if words[0] == "cd":
                gone_into += 1
                if words[1] not in made and not (ROOT / words[1]).is_dir():
                    missing.append(f"{block}: cd {words[1]}")
    assert missing == []
    assert gone_into > 0


# --------------------------------------------------------------------------------------------------------------------
# Now and then
# --------------------------------------------------------------------------------------------------------------------
RUNNABLE = sorted(
    {block.page for block in of("bash") if not (block.reason or EXAMPLES.match(block.page) or block.page in RUN_ELSEWHERE)}
)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE)
def test_the_commands_of_a_page_do_what_they_say(page: str, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    if "results/" in (ROOT / page).read_text():  # a page may go on where another one has stopped
        place.run(Block(page, 0, "bash", "harness run suites/quick.yaml", ""))
        place.run(Block(page, 0, "bash", "cp -r results results-before", ""))  # what it may be compared with
    for block in blocks(ROOT / page):
        if (name := re.match(r"# (\S+\.yaml)\n", block.code)) and block.language == "yaml":
            (tmp_path / name[1]).write_text(block.code)
        if block.language == "bash" and not block.reason:
            place.run(block)
