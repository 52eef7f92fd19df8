"""Names and numbers from a results folder reach a report as text, and the report stays in its folder (fault o)."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.pages import without_own_script
from report.synthetic import PROVENANCE, write_run
from report.test_build_report import Page

from harness.report.build import FORMATS, build_report
from harness.report.csv_tables import _csv
from harness.report.document import CodeBlock, Column, Document, Paragraph, ReportTable, Section
from harness.report.latex import latex_tables
from harness.report.latex_text import PREAMBLE
from harness.report.page_script import SCRIPT, SCRIPT_SOURCE
from harness.report.rendering import html_page, markdown_page
from harness.runs.folder import RunFolder

HOSTILE = "=cmd|' /C calc'!A0\"><script>alert(1)</script><!--"
HOSTILE += " \\end{table} \\input{/etc/passwd} [x](javascript:1) `$^{#}~%&_ \x1b[2J\u202e"


def rename(folder: RunFolder, **names: str) -> None:
    """Give a run other names in its record, as anybody can who writes one."""
    content = json.loads(folder.record_file.read_text())
    content["spec"] |= names
    folder.record_file.write_text(json.dumps(content))


def study(name: str, suite: str) -> dict:
    distribution = {"name": "FloatDistribution", "attributes": {"step": None, "low": 0.0, "high": 1.0, "log": False}}
    trials = [
        {
            "number": number,
            "state": "COMPLETE",
            "values": [-0.5 + number],
            "params": {HOSTILE: 0.1 * number},
            "distributions": {HOSTILE: distribution},
            "intermediate_values": {},
            "user_attrs": {"error": HOSTILE},
            "start": "2026-11-20T09:00:00",
            "complete": "2026-11-20T09:00:01",
        }
        for number in range(3)
    ]
    options = {"objectives": ["score"], "metric": "iqm", "sampler": HOSTILE, "pruner": HOSTILE, "seeds": 2}
    definition = {"tasks": {HOSTILE: {}}, "space": [{"name": HOSTILE, "scale": "linear", "range": [0, 1], "when": None}]}
    record = {"name": name, "suite": suite, "method": HOSTILE, "storage": "$(touch evil); x", "trials": trials}
    return {"format": 1, **record, "definition": definition, "options": options, "confirmed": []}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with hostile results in ``results`` and the report on them in ``deep/er/OUT``."""
    place = tmp_path_factory.mktemp("place")
    results = place / "results"
    for seed in (0, 1):
        for method in ("ppo", "rnd"):
            folder = write_run(
                results, "n4", method, seed, metrics={HOSTILE: 1.0}, provenance={**PROVENANCE, HOSTILE: HOSTILE}
            )
            rename(folder, suite="x/../../../ESC/suite", task=HOSTILE, method=HOSTILE + method)
    failed = write_run(results, "n5", "ppo", 0, state="failed", error=HOSTILE, curve={})
    rename(failed, suite="x/../../../ESC/suite")
    folder = results / "synthetic" / "tuning" / "innocent"
    folder.mkdir(parents=True)
    (folder / "study.json").write_text(json.dumps(study("x/../../../../ESC2/evil", "/ESC3")))
    build_report([results, folder], place / "deep" / "er" / "OUT", formats=[name for name in FORMATS if name != "pdf"])
    return place


@pytest.fixture
def report(place) -> Path:
    return place / "deep" / "er" / "OUT"


def test_fault_o_nothing_is_written_outside_the_report(place, report):
    files = {file for file in place.rglob("*") if file.is_file()}
    new = {file for file in files if file.is_relative_to(report)}
    assert {file.name for file in files - new} == {"run.json", "study.json", "evaluations.csv"}
    assert all(file.is_relative_to(place / "results") for file in files - new)
    assert {file.suffix for file in new} == {".html", ".md", ".tex", ".csv", ".svg", ".png", ".pdf", ".json", ".npz"}
    assert any("evil" in file.name and file.suffix == ".csv" for file in new)


def test_fault_o_page_has_a_strict_policy_and_no_foreign_markup(report):
    text = without_own_script(report / "index.html")
    page = Page(report / "index.html")
    assert "script" not in page.tags
    assert {"svg", "table", "details", "style"} <= page.tags
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert policy.split("; ")[0] == "default-src 'none'"
    scripts = re.findall("script-src ([^;]*)", policy)
    assert scripts == [SCRIPT_SOURCE]
    assert base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode() in SCRIPT_SOURCE
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert "alert(1)" in page.text
    assert "\x1b" not in text
    assert "\u202e" not in text
    for attribute in re.findall(r'[\w-]+="([^"]*)"', text):
        assert "<" not in attribute
    beside = {file.name for file in report.glob("*.csv")}
    assert all(reference.startswith(("#", "data:")) or reference in beside for reference in page.references)


def test_fault_o_figures_are_well_formed_whatever_they_name(report):
    drawn = [ElementTree.fromstring(file.read_bytes()) for file in report.rglob("*.svg")]
    assert len(drawn) >= 3
    assert not [element for root in drawn for element in root.iter() if element.tag.endswith(("script", "foreignObject"))]
    assert any("alert(1)" in (element.text or "") for root in drawn for element in root.iter())


def test_fault_o_cells_are_no_formulas_and_numbers_stay_numbers(report):
    for file in report.glob("*.csv"):
        for row in csv.reader(io.StringIO(file.read_text())):
            for cell in row:
                assert not re.match(r"[=+@\t\r]", cell), (file, cell)
                assert not cell.startswith("-") or re.fullmatch(r"-[0-9.e+-]+", cell), (file, cell)
    (trials,) = [pl.read_csv(file) for file in report.glob("tuning-*.csv")]
    assert trials["score"].to_list() == [-0.5, 0.5, 1.5]
    assert [trials[name].dtype for name in trials.columns if name.startswith("'=cmd")] == [pl.Float64]


def test_fault_o_command_to_copy_is_quoted(report):
    assert "optuna-dashboard '$(touch evil); x'" in html.unescape((report / "index.html").read_text())


@given(st.lists(st.text(max_size=12) | st.from_regex(r"[=+@\t\r\n -]-?[0-9]{0,3}[a-z(]{0,3}", fullmatch=True), min_size=1))
def test_fault_o_any_text_is_a_harmless_cell(texts):
    table = pl.DataFrame({"text": texts, "number": [-0.5] * len(texts)}, schema={"text": pl.String, "number": pl.Float64})
    rows = list(csv.reader(io.StringIO(_csv(table), newline="")))[1:]
    assert [number for _, number in rows] == ["-0.5"] * len(texts)
    for (cell, _), text in zip(rows, texts, strict=True):
        assert cell in (text.replace("\0", "\ufffd"), "'" + text.replace("\0", "\ufffd"))
        if cell[:1] in tuple("=+-@\t\r"):
            assert re.fullmatch(r"[+-][0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", cell), cell


@given(st.text(max_size=30))
def test_fault_o_any_text_stays_text_in_every_format(text):
    table = ReportTable(text, (Column(text),), ((text,), ((text, text),)))
    document = Document(text, text, ((text, text),), (Section(text, (Paragraph(text), CodeBlock(text), table)),))
    page = html_page(document)
    assert len(re.findall(r"<[a-z!/]", page)) == len(re.findall(r"<[a-z!/]", html_page(_document_like(document, "x"))))
    lines = latex_tables(document).splitlines()
    assert len(lines) == len(latex_tables(_document_like(document, "x")).splitlines())
    body = "\n".join(line for line in lines if not line.startswith("%") and line not in PREAMBLE)
    commands = set(re.findall(r"\\([a-zA-Z]+)", re.sub(r"\$\\[a-zA-Z]+\$", "", body)))  # but for single signs
    allowed = {"begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "othersign", "ldots"}
    assert commands <= allowed | {name for name in commands if name.startswith("text")}
    markdown = markdown_page(document)
    assert not [line for line in markdown.splitlines() if not line.startswith("    ") and re.search(r"(?<!\\)<", line)]


def _document_like(document: Document, text: str) -> Document:
    table = ReportTable(text, (Column(text),), ((text,), ((text, text),)))
    return Document(text, text, ((text, text),), (Section(text, (Paragraph(text), CodeBlock(text), table)),))
