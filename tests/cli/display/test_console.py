"""Tables for people and for pipes."""

from __future__ import annotations

import io

from rich.console import Console

from harness.cli.display.console import open_console, print_table

COLUMNS = ("name", "empty", "about", "number")
ROWS = [("a", "", "[bold]words[/bold] " * 30, 5), ("longer", None, "few", 12_345)]


def test_pipe_gets_whole_aligned_lines(capsys):
    print_table(open_console(), "things", COLUMNS, ROWS, right_aligned=("number",))
    title, header, first, second = capsys.readouterr().out.splitlines()
    assert title == "things"
    assert header.split() == ["name", "about", "number"]
    assert first.count("[bold]words[/bold]") == 30  # neither wrapped nor taken for markup
    assert first.endswith("      5")
    assert second.index("few") == first.index("[bold]")
    assert len(second) == len(first)


def test_terminal_wraps_but_keeps_names_and_numbers():
    console = Console(file=io.StringIO(), force_terminal=True, width=60, markup=False, highlight=False, color_system=None)
    print_table(console, "things", COLUMNS, ROWS, right_aligned=("number",), no_wrap_columns=("name",))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 60
    assert any("longer" in line and "12345" in line for line in lines)
    assert not any("empty" in line for line in lines)


def test_fault_a_table_that_is_wider_than_the_terminal_becomes_blocks_of_wrapped_lines():
    console = Console(file=io.StringIO(), force_terminal=True, width=60, markup=False, highlight=False, color_system=None)
    columns = ("method", *(f"measurement {i}" for i in range(6)), "about")
    rows = [("a", *range(6), "words " * 30), ("longer", *range(6, 12), None)]
    print_table(console, "things", columns, rows, right_aligned=columns[1:-1], no_wrap_columns=("method",))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 60
    assert lines[:4] == ["things", "  a", "      measurement 0: 0", "      measurement 1: 1"]
    assert sum(line.count("words") for line in lines) == 30
    assert lines[-1] == "      measurement 5: 11"  # what is empty is left out
