"""What the page about environment families quotes is what its example says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "harness_cliff"
PAGE = (ROOT / "docs" / "extending" / "environment.md").read_text()
BLOCKS = re.findall(r"```(?:python|toml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("file", "text"), BLOCKS, ids=[f"{number}-{file}" for number, (file, _) in enumerate(BLOCKS)])
def test_quotations_are_in_the_example(file: str, text: str) -> None:
    assert text in (EXAMPLE / file).read_text()


def test_every_block_of_code_is_a_quotation() -> None:
    assert len(BLOCKS) == len(re.findall(r"```(?:python|toml)", PAGE)) >= 5
