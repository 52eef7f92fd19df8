"""What goes into a paper: vector figures as wide as columns, a compact table that LaTeX compiles, and PDF of the page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from report.synthetic import write_run, write_suite

from harness.errors import UnknownNameError, UserError
from harness.report import printing
from harness.report.build import build_report
from harness.report.drawing import Panel, Plot
from harness.report.figures import WIDTHS, paper_figures
from harness.report.latex_text import escape
from harness.report.sheets import wrapped_title

METHODS = {"ppo": 3.0, "rnd": 6.0, "snd": 6.1}
HOSTILE = "\\input{/etc/passwd} $^{#}~%&_ 中文 Ωμέγα ἄλφα naïve Ångström ł «x» — 𝛼 --- ``''"


def plot(title: str, panels: int = 1) -> Plot:
    panel = Panel(title, lambda axes: axes.plot([0.0, 1.0], [0.0, 1.0]))
    return Plot("picture", "Caption", (panel,) * panels, {})


# --- figures -----------------------------------------------------------------------------------------------------------
def test_figures_are_as_wide_as_columns_in_the_papers_font_and_always_the_same() -> None:
    drawn = paper_figures(plot("Title", 4), "STIXGeneral")
    assert drawn == paper_figures(plot("Title", 4), "STIXGeneral")
    for name, inches in WIDTHS.items():
        (page,) = pypdfium2.PdfDocument(drawn[name])
        assert page.get_width() == pytest.approx(72 * inches, abs=0.1)
        assert page.get_height() < 72 * 9
        assert b"STIXGeneral" in drawn[name]
        assert b"/Type3" not in drawn[name]
        assert b"/FontFile2" in drawn[name]
        assert b"CreationDate" not in drawn[name]
        assert page.get_textpage().get_text_bounded().count("Title") == 4


def test_long_titles_stay_within_their_figures() -> None:
    title = "a_task_with_a_very_long_name_that_does_not_fit " + "W" * 60
    for data in paper_figures(plot(title, 4), "DejaVu Sans").values():
        (page,) = pypdfium2.PdfDocument(data)
        text = page.get_textpage()
        letters = re.sub(r"\s", "", text.get_text_bounded())
        assert letters.count("W") == 4 * 60
        for i in range(text.count_chars()):
            left, _, right, _ = text.get_charbox(i)
            assert left >= -1
            assert right <= page.get_width() + 1


def test_titles_are_broken_between_words_first() -> None:
    assert wrapped_title("short", 200) == "short"
    lines = wrapped_title("IQM of normalised scores (higher is better)", 110).split("\n")
    assert " ".join(lines) == "IQM of normalised scores (higher is better)"
    assert len(lines) > 1


def test_figures_of_a_report_are_written_in_a_known_font_alone(tmp_path: Path) -> None:
    results = write_suite(tmp_path / "results", METHODS, tasks=["north"], seeds=3, steps=[5000, 10_000])
    with pytest.raises(UnknownNameError, match="unknown font family 'STIXGenera': did you mean 'STIXGeneral'"):
        build_report([results], tmp_path / "out", formats=["figures"], figure_font="STIXGenera")
    assert not (tmp_path / "out").exists()
    build_report([results], tmp_path / "out", formats=["figures"], figure_font="STIXGeneral")
    names = {file.name for file in (tmp_path / "out" / "figures").iterdir()}
    assert {"synthetic-aggregates-1col.pdf", "synthetic-curves-2col.pdf"} <= names


# --- LaTeX -------------------------------------------------------------------------------------------------------------
def test_one_compact_table_has_a_label_and_marks_the_best(tmp_path: Path) -> None:
    results = write_suite(tmp_path / "results", METHODS, seeds=4, spread=0.5)
    text = build_report([results], tmp_path / "out", formats=["latex"]).read_text()
    assert text.count(r"\begin{table}") == text.count(r"\label{tab:synthetic}") == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [re.sub(r"[{}]", "", row.split(" & ")[0]) for row in rows] == ["", "north", "south", "IQM"]
    for row in rows[1:]:
        ppo, rnd, snd = row.split(" & ")[1:]
        assert r"\textbf" not in ppo
        assert r"\textbf" in rnd + snd
    assert "over 4 seeds" in text
    assert not (tmp_path / "out" / "all-tables.tex").exists()


def test_values_within_the_interval_of_the_best_are_bold_and_no_others(tmp_path: Path) -> None:
    for method, scores in {
        "ppo": (1.0, 1.1, 1.2),
        "rnd": (5.0, 6.0, 7.0),
        "snd": (5.9, 6.0, 5.8),
        "icm": (5.0, 5.0, 5.0),
    }.items():
        for seed, score in enumerate(scores):
            write_run(tmp_path / "results", "north", method, seed, score, curve={5000: [0.0], 10_000: [score]})
    text = build_report([tmp_path / "results"], tmp_path / "out", formats=["latex"]).read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("{north}")]
    assert [r"\textbf" in cell for cell in row.split(" & ")[1:]] == [False, True, True, True]  # ppo, icm, rnd, snd
    write_suite(tmp_path / "single", METHODS, tasks=["north"], seeds=1)
    text = build_report([tmp_path / "single"], tmp_path / "out", formats=["latex"]).read_text()
    assert r"\textbf" not in text  # without an interval nothing says so


def test_many_methods_become_rows(tmp_path: Path) -> None:
    methods = {f"m{i}": float(i) for i in range(8)}
    results = write_suite(tmp_path / "results", methods, seeds=3, steps=[5000, 10_000])
    text = build_report([results], tmp_path / "out", formats=["latex"]).read_text()
    assert text.count("{north} & {south} & {IQM}") == 1
    assert len([line for line in text.splitlines() if line.startswith("{m")]) == 8


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex not installed: apt-get install texlive-latex-recommended"
)
def test_latex_compiles_whatever_is_named(tmp_path: Path) -> None:
    results = write_suite(tmp_path / "results", METHODS | {HOSTILE: 4.0}, tasks=["north", "[x] " + HOSTILE], seeds=3)
    write_suite(tmp_path / "results", {f"method_{i}": float(i) for i in range(9)}, tasks=["a", "b"], seeds=3, suite="many")
    build_report([results], tmp_path / "out", formats=["latex", "latex-all", "figures"])
    figure = next((tmp_path / "out" / "figures").glob("synthetic-aggregates-1col.pdf"))
    (tmp_path / "paper.tex").write_text(
        "\\documentclass[twocolumn]{article}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n"
        f"\\input{{out/tables.tex}}\\input{{out/all-tables.tex}}\\includegraphics{{{figure.relative_to(tmp_path)}}}\n"
        "See Table~\\ref{tab:synthetic} and Table~\\ref{tab:many}.\n\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    for _ in range(2):  # the second time, references are known
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]
    assert "undefined" not in done.stdout
    text = " ".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(tmp_path / "paper.pdf"))
    assert "root:" not in text
    assert "/etc/passwd" in text
    assert re.search(r"See Table \d+ and Table \d+", text)


def test_signs_that_few_fonts_have_are_left_to_those_who_know_them() -> None:
    assert escape("α ± 中 é") == r"$\alpha$ $\pm$ \othersign{中} é"


# --- the whole report --------------------------------------------------------------------------------------------------
def test_without_a_browser_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(printing, "_PROGRAMS", ("chromium", "google-chrome"))
    results = write_suite(tmp_path / "results", METHODS, tasks=["north"], seeds=1)
    with pytest.raises(UserError, match="apt-get install chromium"):
        build_report([results], tmp_path / "out", formats=["pdf"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("program", ["#!/bin/sh\nexit 0\n", "#!/bin/sh\necho cannot start >&2\nexit 1\n"])
def test_a_browser_that_prints_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    (tmp_path / "chromium").write_text(program)
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setattr(printing, "_PROGRAMS", (str(tmp_path / "chromium"),))
    with pytest.raises(UserError, match="printed no PDF"):
        printing.print_page("<p>page")


def test_dates_and_browsers_leave_a_printed_file_as_long_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "/Title (x)\\n/Creator (Mozilla \\\\(X11\\\\) Chrome)\\n/CreationDate (D:20261128021110+00\\x2700\\x27)\\n"
    script = f'#!/bin/sh\nfor a in "$@"; do case $a in --print-to-pdf=*) printf \'{head}\' > "${{a#*=}}";; esac; done\n'
    (tmp_path / "chromium").write_text(script)
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setattr(printing, "_PROGRAMS", (str(tmp_path / "chromium"),))
    data = printing.print_page("<p>page")
    assert data.startswith(b"/Title (x)\n")
    assert data.strip() == b"/Title (x)"
    assert len(data) == 91
