"""The guarded reader: any bytes, any rows, any JSON give an answer or one line, never anything else."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from harness.errors import ResultsError, printable
from harness.runs.collection import collect_below
from harness.runs.evaluations import read_evaluations
from harness.runs.files import read_csv_rows, read_last_csv_row
from harness.runs.folder import RunFolder
from harness.runs.guarded import MAX_DEPTH, Unreadable, read_bytes, read_ends, read_json, to_count, to_number
from harness.runs.lock import Claim
from harness.runs.walk import find_files
from harness.spec import MAX_COUNT

ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["nan", "1e30", "-1", "1e999", "0x10", "1_000", "١٢", " 5", "5 ", "", "9" * 5000, "1e-400"]),
    st.text(max_size=12),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@ONE_FOLDER
@given(content=st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_one_line(tmp_path: Path, content: bytes) -> None:
    folder = RunFolder(tmp_path)
    for file in (folder.record_file, folder.evaluations_file, folder.path / "claim"):
        file.write_bytes(content)
    for read in (folder.read, lambda: read_json(folder.record_file), lambda: read_csv_rows(folder.evaluations_file)):
        try:
            read()
        except Unreadable as error:
            assert len(str(error).splitlines()) == 1
            assert str(error).isprintable()
    evaluations, problems = read_evaluations(folder)
    assert all(line.isprintable() for line in problems)
    assert all(0 <= one.step <= MAX_COUNT for one in evaluations)
    assert not Claim(folder.path / "claim").held


@ONE_FOLDER
@given(content=VALUES)
def test_json_comes_back_as_it_was(tmp_path: Path, content: object) -> None:
    file = tmp_path / "file.json"
    try:
        file.write_text(json.dumps(content, ensure_ascii=False))
    except UnicodeEncodeError:
        file.write_text(json.dumps(content))
        with pytest.raises(Unreadable, match="half a character"):
            read_json(file)
        return
    if content is None:
        with pytest.raises(Unreadable, match="holds null"):
            read_json(file)
    else:
        assert read_json(file) == content


@ONE_FOLDER
@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=8))
def test_any_rows_are_episodes_or_named(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    folder = RunFolder(tmp_path)
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([("step", "episode", "return"), *rows])
    folder.evaluations_file.write_bytes(buffer.getvalue().encode("utf-8", "replace"))
    found, problems = read_evaluations(folder)
    assert all(one.score is None or math.isfinite(one.score) for one in found)
    usable = [row for row in rows if to_count(row[0]) is not None]
    assert sum(one.episodes for one in found) <= len(usable)
    if len(usable) < len(rows):
        assert problems


@given(text=NUMBERS)
def test_counts_are_whole_numbers_within_bounds(text: str) -> None:
    count, number = to_count(text), to_number(text)
    if count is not None:
        assert number == count
        assert 0 <= count <= MAX_COUNT


@given(text=st.text())
def test_what_is_printable_is_one_line_of_bounded_length(text: str) -> None:
    shown = printable(text, 50)
    assert shown.isprintable()
    assert len(shown) <= 50 * len("\\U0010ffff")
    if text.isprintable() and len(text) <= 50:
        assert shown == text.strip()


@ONE_FOLDER
@given(lines=st.lists(st.integers(0, 10**6), min_size=1, max_size=60), n=st.integers(8, 80))
def test_the_ends_of_a_file_are_whole_lines(tmp_path: Path, lines: list[int], n: int) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a\n" + "".join(f"{one}\n" for one in lines))
    first, *rest = (read_ends(file, n) or b"").decode().splitlines()
    assert first == "a"
    assert rest == [str(one) for one in lines][len(lines) - len(rest) :]
    assert rest
    assert read_last_csv_row(file) == {"a": str(lines[-1])}


@pytest.mark.parametrize(("depth", "good"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (100_000, False)])
def test_depth_is_bounded(tmp_path: Path, depth: int, good: bool) -> None:
    file = tmp_path / "file.json"
    file.write_text("[" * depth + "]" * depth)
    if good:
        assert read_json(file)
    else:
        with pytest.raises(Unreadable, match=f"nested deeper than {MAX_DEPTH} levels"):
            read_json(file)


def test_size_is_bounded_also_where_the_system_does_not_know_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    assert read_bytes(file, 100) == b"x" * 100
    with pytest.raises(Unreadable, match="is larger than 99 bytes"):
        read_bytes(file, 99)
    with pytest.raises(Unreadable, match="is larger than 10 bytes"):
        read_bytes(Path("/proc/self/maps"), 10)


def test_what_is_not_there_is_nothing_and_what_is_in_a_file_is_an_error(tmp_path: Path) -> None:
    assert read_bytes(tmp_path / "nothing") is None
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "inside", tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(Unreadable):
            read_bytes(place)


def test_no_file_is_opened_that_is_not_regular(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(Unreadable, match="is a named pipe, where a regular file should be"):
        read_bytes(tmp_path / "pipe")


def test_a_search_finds_whatever_has_the_name_and_never_follows_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "run.json").mkdir()
    (tmp_path / "a" / "b" / "run.json").symlink_to("nowhere")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "tuning").mkdir()
    (tmp_path / "tuning" / "run.json").touch()
    found, problems = find_files(tmp_path, {"run.json"}, passed_over={"tuning"})
    assert found == [tmp_path / "a" / "b" / "run.json", tmp_path / "a" / "run.json"]
    assert problems == [f"{tmp_path}/a/loop: is a link to a folder, which is not followed: give that folder itself"]
    with pytest.raises(ResultsError, match="no such results directory"):
        collect_below([tmp_path / "nowhere"])
