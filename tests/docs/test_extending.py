"""What the pages about environment families and algorithms quote is what their examples say."""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = {"environment": "harness_cliff", "algorithm": "harness_double_dqn"}
"""The example package that each page quotes."""


def page(name: str) -> str:
    return (ROOT / "docs" / "extending" / f"{name}.md").read_text()


def quotations(name: str) -> list[tuple[str, str]]:
    """File and text of each quotation."""
    return re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", page(name), re.DOTALL)


@pytest.mark.parametrize("name", EXAMPLES)
def test_quotations_are_in_the_example(name: str) -> None:
    for file, text in quotations(name):
        assert text in (ROOT / "examples" / EXAMPLES[name] / file).read_text()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_block_of_code_is_a_quotation(name: str) -> None:
    assert len(quotations(name)) == len(re.findall(r"```(?:python|toml)", page(name))) >= 5


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "extending").glob("*.md")), ids=lambda file: file.stem)
def test_every_import_and_path_on_a_page_exists(file: Path) -> None:
    text = file.read_text()
    for module, names in re.findall(r"^from (harness[\w.]*) import (.+)$", text, re.MULTILINE):
        if module.partition(".")[0] == "harness":
            for name in names.split(", "):
                assert hasattr(importlib.import_module(module), name), f"{module} has no {name}"
    for path in re.findall(r"`(harness\.[\w.]+)`", text):
        assert find(path), f"{path} does not exist"


def find(path: str) -> bool:
    """Whether there is a module of this path, or something in a module."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        with suppress(ModuleNotFoundError):
            found: object = importlib.import_module(".".join(parts[:length]))
            for name in parts[length:]:
                found = getattr(found, name, None)
            return found is not None
    return False
