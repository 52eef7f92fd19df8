"""Every message that the page of error messages quotes stands in the code, and some of them are raised by real commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from harness.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
QUICK = str(ROOT / "suites" / "quick.yaml")
GAP = "\0"
"""What stands for a value that a message is formatted with."""


def messages() -> list[str]:
    """The first cell of each row of the page's tables."""
    return re.findall(r"^\| `(.+?)` \|", PAGE.read_text(), re.MULTILINE)


@cache
def texts_of_code() -> list[str]:
    """Every text in the code, in one line, with gaps where values are put in."""
    files = [file for folder in ("harness", "plugins") for file in (ROOT / folder).rglob("*.py")]
    return [" ".join(text.split()) for file in files for text in texts(ast.parse(file.read_text()))]


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def pattern(message: str) -> re.Pattern[str]:
    """What a message looks like; an ellipsis is anything."""
    return re.compile(".*?".join(re.escape(part) for part in message.split("…")))


@pytest.mark.parametrize("message", messages())
def test_a_quoted_message_stands_in_the_code(message: str) -> None:
    fixed = max(message.split("…"), key=len)
    assert len(fixed) >= 8, "a message of gaps alone says nothing"
    assert any(pattern(message).search(text) for text in texts_of_code() if fixed in text), "no text of the code reads so"


def test_no_message_is_quoted_twice_and_there_are_many() -> None:
    assert len(messages()) == len(set(messages())) >= 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nothing.yaml"), "no such file…"),
        (("run", "empty.yaml"), "is empty; a suite is a mapping such as 'suite: my_suite'"),
        (("run", QUICK, "--profile", "smok"), "unknown profile …"),
        (("run", QUICK, "--set", "steps"), "--set …: expected key=value, such as steps=4096, or @FILE"),
        (("run", QUICK, "--set", "methods.ppo_rnd.config.eat=1"), "unknown key …"),
        (("status", "nowhere"), "…: no such results directory"),
        (("status", "."), "no runs in …: give a results directory, such as results/NAME, or start 'harness run'"),
    ],
)
def test_a_command_raises_what_the_page_quotes(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.yaml").write_text("")
    assert main(list(arguments)) == 2
    assert message in messages()
    assert pattern(message).search(" ".join(capsys.readouterr().err.split()))
