"""Every block of code in docs/python.md runs as it stands, and prints what the page says it prints."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"
RUNS = ROOT / "tests" / "fixtures" / "november" / "finished"


class Block(NamedTuple):
    heading: str
    line: int
    code: str
    output: str | None


def blocks() -> list[Block]:
    """Blocks of Python, each with the block of text that follows it, if one does."""
    text = PAGE.read_text()
    pattern = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
    found = []
    for match in pattern.finditer(text):
        heading = re.findall(r"^## (.*)$", text[: match.start()], re.MULTILINE)[-1]
        found.append(Block(heading, text[: match.start()].count("\n") + 2, match[1], match[2]))
    return found


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the results of some runs, and with every file that the page shows."""
    shutil.copytree(RUNS, tmp_path / "results")
    for name, content in re.findall(r"^```yaml\n# (\S+\.yaml)\n(.*?)^```\n", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.heading)
def test_a_block_runs_and_prints_what_the_page_says(block: Block, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("\n" * (block.line - 1) + block.code, str(PAGE), "exec"), namespace)
    assert block.output is not None, "a block that prints nothing shows nothing"
    assert capsys.readouterr().out == block.output


def test_the_page_shows_every_piece() -> None:
    import harness

    shown = " ".join(block.code for block in blocks())
    pieces = [
        name for name, module in harness._LAZY.items() if "scripting" in module or "matrices" in module or "tables" in module
    ]
    assert [name for name in pieces if f"harness.{name}" not in shown + PAGE.read_text()] == []
