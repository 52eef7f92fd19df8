"""What the pages about environment families and algorithms quote is what their examples say."""

from __future__ import annotations

import re
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
