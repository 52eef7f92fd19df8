"""The gallery of reports: everything that its page names is there, and it stays small and names no machine."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from harness.errors import UserError
from harness.report.printing import find_browser
from harness.runs.results import read_results

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
MOST_BYTES = 8.5 * 10**6
MOST_PIXELS = 50
"""Pixels that the browser may draw otherwise at its second try, as it does at the rounded edge of a button."""


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", GALLERY / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


def test_every_report_is_there_and_its_page_names_all_files() -> None:
    exhibits = script().EXHIBITS
    named = set(re.findall(r"\]\(([\w/-]+\.(?:html|pdf|png))\)", (GALLERY / "README.md").read_text()))
    expected = {f"{name}.{kind}" for name in exhibits for kind in ("html", "pdf")}
    expected |= {f"pictures/{name}-{picture}.png" for name, one in exhibits.items() for picture in one.pictures}
    there = {file.relative_to(GALLERY).as_posix() for kind in ("html", "pdf", "png") for file in GALLERY.rglob(f"*.{kind}")}
    assert named == expected == there


def test_it_is_small_and_names_no_machine() -> None:
    files = [file for file in GALLERY.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    for file in files:
        if file.suffix in (".html", ".json", ".csv", ".yaml"):
            assert not re.search(r"/(?:home|work|root|tmp|Users)/\w", file.read_text()), file


def test_its_runs_are_results_like_any_others() -> None:
    found = read_results([GALLERY / "runs" / "before", GALLERY / "runs" / "after"])
    assert found.unreadable == ()
    assert found.runs.filter(state="finished").height == found.runs.height == 18


@pytest.mark.slow
def test_the_same_command_gives_the_same_bytes(tmp_path: Path) -> None:
    try:
        find_browser()
    except UserError as error:
        pytest.skip(str(error))
    for name in ("one", "two"):
        command = [sys.executable, GALLERY / "make.py", "--out", tmp_path / name, "--only", "half-failed"]
        subprocess.run(command, check=True, timeout=1200)
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / name).rglob("*.*")} for name in ("one", "two"))
    assert (
        one.keys()
        == two.keys()
        == {f"half-failed{end}" for end in (".html", ".pdf", "-screen.png", "-phone.png", "-paper.png")}
    )
    for name, content in one.items():
        assert content == two[name] or (name.endswith(".png") and differing_pixels(content, two[name]) < MOST_PIXELS), name


def differing_pixels(one: bytes, two: bytes) -> int:
    """How many pixels of two pictures differ; all of them where their sizes do."""
    first, second = (np.asarray(Image.open(BytesIO(picture)).convert("RGB")) for picture in (one, two))
    return first.shape[0] * first.shape[1] if first.shape != second.shape else int((first != second).any(axis=2).sum())
