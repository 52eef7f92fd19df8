"""The blocks of code on pages of the documentation, and a place in which they run as a reader would run them, only smaller."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "reference"
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^>]+?) -->\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
INDENTED = re.compile(r"^ {4,}(harness [^\n]+)$", re.MULTILINE)
SMALLER = Path(__file__).with_name("documented_commands.py")
"""What stands for ``harness``, ``pip`` and ``python`` where pages are run."""


class Block(NamedTuple):
    """A block of code.

    Attributes:
        page: Path of the page below the repository.
        line: The line of its first line of code.
        language: The word behind the fence.
        code: The text, without the indentation of a list.
        reason: Why it is not run; empty if it is.
    """

    page: str
    line: int
    language: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Everything that a reader is shown: the README, the site, and what packages say of themselves."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return found + [file for folder in ("plugins", "examples") for file in sorted((ROOT / folder).glob("*/README.md"))]


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page."""
    text, name = page.read_text(), page.relative_to(ROOT).as_posix()
    return [
        Block(
            name,
            text.count("\n", 0, match.start("code")) + 1,
            match["language"],
            re.sub(f"^{match['indent']}", "", match["code"], flags=re.MULTILINE),
            match["reason"] or "",
        )
        for match in FENCE.finditer(text)
    ]


def all_blocks() -> list[Block]:
    """The blocks of all pages."""
    return [block for page in pages() for block in blocks(page)]


def commands(code: str) -> Iterator[list[str]]:
    """The simple commands of a shell script as lists of words, without comments and variables of their own."""
    for line in code.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()>")
        lexer.whitespace_split = True
        words: list[str] = []
        found = iter([*lexer, ";"])
        for word in found:
            if word == ">":
                next(found)  # the file that output goes to
            elif set(word) <= set(";&|()"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def harness_commands() -> list[tuple[str, list[str]]]:
    """Where each command line of ``harness`` stands, and its arguments."""
    found = []
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        codes = [(f"{name}:{block.line}", block.code) for block in blocks(page) if block.language == "bash"]
        codes += [(name, code) for code in INDENTED.findall(FENCE.sub("", page.read_text()))]
        found += [(where, words[1:]) for where, code in codes for words in commands(code) if words[0] == "harness"]
    return found


class Workplace:
    """A folder that looks like a checkout, in which blocks of pages are run one after the other.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "results", ".*_cache")
        for name in ("suites", "examples"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "constraints.txt", folder)
        self._bin = folder / ".bin"
        self._bin.mkdir()
        for name in ("harness", "pip", "python", "tensorboard"):
            script = self._bin / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SMALLER}" {name} "$@"\n')
            script.chmod(0o755)

    def run(self, block: Block) -> str:
        """Run a block of a shell; what it prints is returned.

        Raises:
            AssertionError: A command of it failed.
        """
        environment = {
            **os.environ,
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "DOCUMENTED_SITE": str(self.folder / ".site"),
            "PYTHONPATH": str(self.folder / ".site"),
            "OMP_NUM_THREADS": "1",
        }
        script = ["bash", "-euo", "pipefail", "-c", block.code]
        done = subprocess.run(
            script, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{block}: exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout
