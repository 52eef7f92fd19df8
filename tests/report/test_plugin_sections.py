"""A plugin's sections in the report: where they belong, escaped, and harmless when they are broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report.pages import without_own_script
from report.section_plugin import BROKEN, description, registry_with
from report.synthetic import write_suite

from harness.registry import Registry
from harness.registry.discovery import builtin_plugin
from harness.registry.hooks import ReportSection
from harness.report import build
from harness.report.build import build_report
from harness.report.sections import tasks

ROOT = Path(__file__).parents[2]
METHODS = {"ppo": 3.0, "rnd": 6.0}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_suite(tmp_path_factory.mktemp("sections") / "results", METHODS, seeds=1)


@pytest.fixture(scope="module")
def without_plugins(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("without")
    return build_report([results], out, formats=["md"], registry=Registry([builtin_plugin()])).read_text()


def headings(markdown: str) -> list[str]:
    return re.findall(r"^#{2,3} (.*)$", markdown, re.MULTILINE)


@pytest.mark.usefixtures("no_figures")
def test_a_section_stands_where_its_order_says(results, tmp_path):
    registry = registry_with(description("hours", order=650), description("closing", scope="report", order=50))
    page = build_report([results], tmp_path, formats=["md"], registry=registry).read_text()
    found = headings(page)
    hours = next(i for i, title in enumerate(found) if title.startswith("Hours"))
    assert (found[hours - 1], found[hours + 1]) == ("Tasks", "Other measurements")
    assert found[-2:] == ["Closing words", "How to read the numbers"]
    assert "1 suites, 0 studies" in page


def test_text_of_a_plugin_is_escaped_everywhere(results, tmp_path):
    registry = registry_with(description("hours"))
    build_report([results], tmp_path, formats=["html", "md", "latex-all"], registry=registry)
    html = without_own_script(tmp_path / "index.html")
    assert "<script" not in html
    assert "Hours &amp; &lt;i&gt;minutes&lt;/i&gt;" in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == len(METHODS)
    assert r"Hours &amp; \<i\>minutes\</i\>" in (tmp_path / "report.md").read_text()
    assert r"\textless{}script\textgreater{}" in (tmp_path / "all-tables.tex").read_text()


@pytest.mark.usefixtures("no_figures")
def test_methods_have_their_colours_in_a_section_of_a_plugin(results, tmp_path):
    html = build_report([results], tmp_path, formats=["html"], registry=registry_with(description("hours"))).read_text()
    section = html.partition("Said by")[2].partition("</section>")[0]
    assert section.count('class="swatch"') == len(METHODS)


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(("name", "cause"), BROKEN, ids=[name for name, _ in BROKEN])
def test_a_broken_section_is_named_and_the_report_is_whole(results, without_plugins, tmp_path, name, cause):
    out = tmp_path / "out"
    build_report([results], out, formats=["html", "md", "latex"], registry=registry_with(description(name)))
    page = re.sub(r"\\(.)", r"\1", (out / "report.md").read_text())
    assert f"The section '{name}' of plugin 'extra' (extra-sections 2.0) could not be made: " in page
    assert cause in page
    assert set(headings(without_plugins)) < set(headings((out / "report.md").read_text()))
    assert "<script" not in without_own_script(out / "index.html")
    assert not list(tmp_path.parent.glob("outside*"))


@pytest.mark.usefixtures("no_figures")
def test_a_plugin_that_wants_to_end_the_program_does_not(results, tmp_path):
    registry = registry_with(description("leaves", scope="report"))
    assert "SystemExit: 3" in build_report([results], tmp_path, formats=["md"], registry=registry).read_text()


@pytest.mark.usefixtures("no_figures")
def test_a_section_with_nothing_to_show_is_left_out(results, without_plugins, tmp_path):
    page = build_report([results], tmp_path, formats=["md"], registry=registry_with(description("nothing")))
    assert page.read_text() == without_plugins


def test_a_mistake_in_a_section_of_the_harness_is_seen(results, tmp_path, monkeypatch):
    monkeypatch.delattr(tasks, "frames_note")
    with pytest.raises(NameError, match="frames_note"):
        build.build_report([results], tmp_path, formats=["md"])


@pytest.mark.usefixtures("no_figures")
def test_the_section_on_the_documentation_page_can_be_built(results, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "extending" / "report_section.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def build" in block]
    (tmp_path / "section_of_the_page.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    registry = registry_with(ReportSection(name="page", build="section_of_the_page:build"))
    text = build_report([results], tmp_path / "out", formats=["md"], registry=registry).read_text()
    assert "### Training time" in text
    assert "could not be made" not in text


def test_the_documentation_page_lists_the_places_of_all_sections():
    page = (ROOT / "docs" / "extending" / "report_section.md").read_text()
    table = page.partition("the harness's own |")[2].partition("## ")[0]
    places = {name: int(order) for order, name in re.findall(r"(\d+) (\w+)", table)}
    own = Registry([builtin_plugin()]).report_sections
    assert places == {name: provided.description.order for name, provided in own.items()}
