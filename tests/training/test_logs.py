"""Growing tables: columns that appear late, torn lines, winding back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.training.logs import CsvTable

rows = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers() | st.text("x,\"'", min_size=1, max_size=3), max_size=4),
    max_size=12,
)


@settings(deadline=None)
@given(rows, st.integers(0, 12), st.integers(0, 60))
def test_rewinding_and_going_on_equals_never_stopping(tmp_path_factory, content, synced: int, torn: int) -> None:
    content = [{"step": number} | row for number, row in enumerate(content)]
    synced = min(synced, len(content))
    folder = tmp_path_factory.mktemp("table")
    whole, broken = folder / "whole.csv", folder / "broken.csv"
    for path in (whole, broken):
        write(CsvTable(path, ["step"]), content)
    lines = broken.read_text().splitlines(keepends=True)
    safe = "".join(lines[: 1 + synced])  # a kill tears at most what came after the last checkpoint
    broken.write_text(safe + "".join(lines[1 + synced :])[: -torn or None])
    table = CsvTable(broken, ["step"])
    table.rewind("step", synced - 1)
    write(table, content[synced:])
    assert broken.read_text() == whole.read_text()


def write(table: CsvTable, content: list[dict]) -> None:
    if not table.path.exists():
        table.rewind("step", -1)
    for row in content:
        table.append(row)
    table.close()


def test_none_does_not_make_a_column(tmp_path) -> None:
    table = CsvTable(tmp_path / "t.csv")
    table.rewind("step", -1)
    table.append({"step": 1, "late": None})
    table.append({"step": 2, "late": 5})
    table.close()
    assert (tmp_path / "t.csv").read_text() == "step,late\n1,\n2,5\n"


def test_rewinding_drops_later_rows_and_their_columns(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("step,a,b\n1,x,\n2,x,y\n3,x,tor")
    table = CsvTable(path)
    table.rewind("step", 1)
    assert path.read_text() == "step,a\n1,x\n"
    table.append({"step": 2, "a": "z"})
    table.close()
    assert path.read_text() == "step,a\n1,x\n2,z\n"
