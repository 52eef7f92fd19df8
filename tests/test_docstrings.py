"""What docstrings and every Args, Attributes and Returns line must be: whole phrases, not fragments that names complete."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted({file.parent for folder in ("harness", "plugins") for file in (ROOT / folder).rglob("*.py")})
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))

SECTION = re.compile(r"^ *(Args|Attributes|Returns|Yields):$")
ENTRY = re.compile(r"^(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*): (?P<text>.*)")
FRAGMENTS = re.compile(
    r"(Of\b|(In|On|At|By|For|From|Into|To|Over|With|Where to|Which of|How many|How much|As (given|written|before|above)|"
    r"The same|Likewise|Ditto|See above|Its (own|name|head)|Above it|Also)\b(?! (all|each|every)\b))"
)
OPENING_FRAGMENTS = re.compile(r"(Of|Its|As|Such|At|For people|From JSON|In (order|one line|the order))\b")
"""Beginnings of docstrings that continue the name of what they describe."""

MIN_WORDS = 3


def entries(docstring: str) -> Iterator[tuple[str, str]]:
    """Names and texts of the lines in Args, Attributes and Returns; the name of a return value is ``Returns``."""
    section, indent, entry = "", 0, None
    for line in [*docstring.expandtabs().splitlines(), "end"]:
        stripped, depth = line.strip(), len(line) - len(line.lstrip())
        if section and stripped and depth <= indent:
            if entry:
                yield entry
            section, entry = "", None
        if found := SECTION.match(line):
            section, indent, entry = found[1], depth, None
        elif section and stripped:
            matched = ENTRY.match(stripped)
            if section in ("Args", "Attributes") and depth == indent + 4 and matched:
                if entry:
                    yield entry
                entry = matched["names"], matched["text"]
            else:
                entry = (entry[0], f"{entry[1]} {stripped}") if entry else (section, stripped)


def fragments(source: str) -> Iterator[str]:
    """A line for each entry that is a fragment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            for name, text in entries(ast.get_docstring(node, clean=True) or ""):
                where = f"{getattr(node, 'lineno', 1)}: {getattr(node, 'name', 'module')}: {name}: {text}"
                if len(re.findall(r"[\w`'’.()*-]*\w[\w`'’.()*-]*", text)) < MIN_WORDS:
                    yield f"{where}  (fewer than {MIN_WORDS} words)"
                elif FRAGMENTS.match(text):
                    yield f"{where}  (a fragment)"


def opening_fragments(source: str) -> Iterator[str]:
    """A line for each docstring of a class, function, field or constant that begins as a fragment."""
    module = ast.parse(source)
    for node in ast.walk(module):
        for statement in [*getattr(node, "body", ())] if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                text = statement.value.value
                own = statement is module.body[0]
                if isinstance(text, str) and not own and OPENING_FRAGMENTS.match(text.strip()):
                    yield f"{statement.lineno}: {text.strip()}"


@every_folder
def test_docstrings_begin_as_whole_phrases(folder: Path) -> None:
    assert [f"{file.name}:{line}" for file in folder.glob("*.py") for line in opening_fragments(file.read_text())] == []


@pytest.mark.parametrize("text", ["Of that run.", "Its folder.", "As pip names it.", "At the present speed."])
def test_opening_fragments_are_found(text: str) -> None:
    assert list(opening_fragments(f'"""Module."""\nX = 1\n"""{text}"""\n'))
    assert not list(opening_fragments(f'"""{text}"""\nX = 1\n"""The number."""\n'))


@every_folder
def test_lines_of_docstrings_are_whole_phrases(folder: Path) -> None:
    assert [f"{file.name}:{line}" for file in folder.glob("*.py") for line in fragments(file.read_text())] == []


@pytest.mark.parametrize("line", ["study_id: In it.", "n: How many.", "shape: Of one observation.", "n_envs: N."])
def test_fragments_are_found(line: str) -> None:
    assert list(fragments(f'def f():\n    """Say.\n\n    Args:\n        {line}\n    """\n'))


def test_whole_phrases_pass_even_over_several_lines() -> None:
    docstring = '''
class C:
    """Something.

    Attributes:
        n: Number of environments
            that step together.
        a, b: Ends of the interval.
    """

    def f(self) -> int:
        """Do.

        Returns:
            The number of steps taken.

        Raises:
            ValueError: Never.
        """
'''
    assert list(fragments(docstring)) == []
    (first, *_), _ = zip(*entries(ast.get_docstring(ast.parse(docstring).body[0]) or ""), strict=True)
    assert first == "n"
