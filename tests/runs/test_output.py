"""Whatever is written for people stays inside its folder (fault o)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ResultsError
from harness.runs.output import OutputFolder, file_stem

HOSTILE = ["..", "../evil", "a/../../evil", "/etc/evil", "", "a//b", "./a", "a/.", "a\\b", "a\0b", "a\nb", "\x1b", "x" * 300]


def entries(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


@pytest.mark.parametrize("name", HOSTILE)
def test_fault_o_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(ResultsError, match="cannot name a file in this folder"):
        OutputFolder(tmp_path / "out").write(name, "text")
    assert entries(tmp_path) == set()


@given(st.lists(st.sampled_from(["..", ".", "", "/", "\\", "a", "~", "-x", "C:", "figures", "\0", "\u202e", "é"]), max_size=6))
def test_fault_o_no_name_is_written_outside(parts):
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "deep" / "out"
        try:
            file = OutputFolder(out).write("/".join(parts), b"x")
        except ResultsError:
            return
        assert file.resolve().is_relative_to(out.resolve())
        assert {path for path in Path(place).rglob("*") if path.is_file()} == {file}


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=200), min_size=1, max_size=3))
def test_fault_o_any_text_gives_a_plain_name(texts):
    stem = file_stem(*texts)
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    assert stem[0] not in ".-"
    assert len(f"tuning-{stem}-importances.png") < 300
    for other in ([*texts[:-1], texts[-1] + "/"], [f"../{texts[0]}", *texts[1:]]):
        assert file_stem(*other) != stem


def test_fault_o_links_are_replaced_and_never_followed(tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("precious")
    (out / "index.html").symlink_to(elsewhere / "precious")
    (out / "figures").symlink_to(elsewhere)
    (out / "round").symlink_to(out / "round")
    os.mkfifo(out / "pipe")
    folder = OutputFolder(out)
    assert folder.write("index.html", "page").read_text() == "page"
    assert folder.write("pipe", "text").read_text() == "text"
    for name in ("figures/a.svg", "round/a.svg"):
        with pytest.raises(ResultsError, match=r"is a link|cannot be written"):
            folder.write(name, "svg")
    (out / "inside").mkdir()
    (out / "inward").symlink_to(out / "inside")
    with pytest.raises(ResultsError, match="is a link"):
        folder.write("inward/a", "text")
    assert (elsewhere / "precious").read_text() == "precious"
    assert entries(elsewhere) == {"precious"}
    assert entries(out / "inside") == set()


def test_fault_o_the_folder_itself_may_be_reached_by_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "report").symlink_to(tmp_path / "disk")
    OutputFolder(tmp_path / "report").write("figures/a.svg", "svg")
    assert entries(tmp_path / "disk") == {"figures", "figures/a.svg"}
