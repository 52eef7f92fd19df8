"""The report as a browser shows and prints it: on screens of any width, in light and dark, read aloud, and on paper."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from report.pages import without_own_script
from report.synthetic import write_run, write_suite
from support.browser import Browser, browser

from harness.report.build import build_report
from harness.report.printing import print_page

pytestmark = pytest.mark.slow

WIDTHS = (320, 380, 700, 1280)
BOTTOM = 48  # points of the margin at the foot of a page
PAPER = 680  # CSS pixels of a page of A4 between its margins
PAPER_HEIGHT = 1001
GALLERY_RUNS = Path(__file__).parents[2] / "docs" / "gallery" / "runs" / "before"
LONG_TASK = "a_task_with_a_very_long_name_that_does_not_fit_into_any_panel"
LONG_METHOD = "a_method_with_a_long_name_of_43_characters_"
METHODS = {
    "ppo": 3.0,
    "rnd": 6.0,
    "snd": 5.5,
    "icm": 4.0,
    "ngu": 2.0,
    "re3": 3.5,
    "ride": 1.0,
    "count": 5.0,
    "e3b": 4.5,
    LONG_METHOD: 7.0,
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of a small report, of one that is wide and long, and of one on real runs, with maps."""
    place = tmp_path_factory.mktemp("reports")
    write_suite(place / "small", {"ppo": 3.0, "rnd": 6.0, "snd": 5.5}, seeds=3)
    write_suite(place / "wide", METHODS, tasks=("north", "south", LONG_TASK), seeds=3, steps=range(5000, 10_001, 5000))
    write_run(place / "wide", "south", "rnd", 4, state="failed", error="ValueError: " + "x" * 300, steps=[1000])
    results = {"small": place / "small", "wide": place / "wide", "maps": GALLERY_RUNS}
    return {name: build_report([folder], place / f"{name}-page", formats=["html"]) for name, folder in results.items()}


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def small(window: Browser, reports: dict[str, Path]) -> Browser:
    window.resize(1120)
    window.open(reports["small"].as_uri())
    window.run("localStorage.clear(); document.documentElement.removeAttribute('data-theme')")
    window.open(reports["small"].as_uri())
    return window


# --- on screen ---------------------------------------------------------------------------------------------------------
def test_nothing_is_complained_of_and_no_other_script_runs(small: Browser) -> None:
    assert not small.complaints()
    small.run("""
        const script = document.createElement("script");
        script.textContent = "document.title = 'broken into'";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='document.title = \\"broken into\\"'>");
    """)
    small.wait_for(lambda: any("Content Security Policy" in line for line in small.complaints()))
    assert small.title() == "synthetic: exploration report"


def test_tables_are_sorted_by_the_column_that_is_clicked(small: Browser) -> None:
    def column(position: int) -> list[str]:
        return small.run(
            "const rows = [...document.querySelector('table').tBodies[0].rows];"
            f"return rows.map((row) => row.cells[{position}].textContent.trim().split(' ')[0])"
        )

    def click(position: int) -> str:
        head = f"document.querySelector('table').tHead.rows[0].cells[{position}]"
        small.run(f"{head}.querySelector('[role=button]').click()")
        return small.run(f"return {head}.getAttribute('aria-sort')")

    began = column(0)
    assert began == ["ppo", "rnd", "snd"]
    assert click(1) == "ascending"
    values = [float(text) for text in column(1)]
    assert values == sorted(values)
    assert column(0) != began
    assert click(1) == "descending"
    assert [float(text) for text in column(1)] == values[::-1]
    assert click(1) is None
    assert column(0) == began
    assert click(0) == "ascending"
    assert small.run("return document.querySelectorAll('table')[0].querySelectorAll('[aria-sort]').length") == 1


def test_the_theme_is_switched_and_kept(small: Browser) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = small.run(ground)
    assert light == "rgb(255, 255, 255)"
    names = []
    for _ in range(3):
        small.run("document.querySelector('button.theme').click()")
        names.append((small.run("return document.querySelector('button.theme').textContent"), small.run(ground) == light))
    assert names == [("Theme: light", True), ("Theme: dark", False), ("Theme: auto", True)]
    small.resize(1120, dark=True)
    assert small.run(ground) != light
    small.run("document.querySelector('button.theme').click()")
    small.command("Page.reload")
    small.wait_for(lambda: small.run("return document.querySelector('button.theme')?.textContent") == "Theme: light")
    assert small.run(ground) == light


def test_everything_is_there_without_scripts(small: Browser, reports: dict[str, Path], tmp_path: Path) -> None:
    """What the script adds is the switch alone."""
    with_script = small.text().replace("Theme: auto\n", "")
    with browser(scripts=False) as plain:
        plain.resize(1120)
        plain.open(reports["small"].as_uri())
        assert plain.text() == with_script
        assert not plain.complaints()


@pytest.mark.parametrize("name", ["small", "wide"])
def test_no_width_needs_scrolling_sideways_and_no_picture_is_cut(window: Browser, reports: dict[str, Path], name: str) -> None:
    window.open(reports[name].as_uri())
    for width in WIDTHS:
        window.resize(width)
        assert window.run("const page = document.documentElement; return [page.scrollWidth, page.clientWidth]") == [
            width,
            width,
        ]
        cut = window.run("""
            return [...document.querySelectorAll('.panel svg')].flatMap((picture) => {
                const frame = picture.getBoundingClientRect();
                return [...picture.querySelectorAll('text')].filter((text) => {
                    const box = text.getBoundingClientRect();
                    return box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 2;
                }).map((text) => text.textContent);
            })""")
        assert not cut, (width, cut)


def test_words_can_be_read_on_a_phone(window: Browser, reports: dict[str, Path]) -> None:
    window.open(reports["small"].as_uri())
    window.resize(380)
    heights = window.run(
        "return [...document.querySelectorAll('.panel svg text')].map((text) => text.getBoundingClientRect())"
        ".map((box) => Math.min(box.width, box.height)).filter((size) => size > 0)"
    )
    assert min(heights) >= 5  # digits, as wide as half of their height
    assert window.run("return [...document.querySelectorAll('nav a')].every((a) => a.getBoundingClientRect().height >= 20)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_serious_violation(small: Browser, dark: bool) -> None:
    found = importlib.util.find_spec("axe_core_python")
    assert found and found.origin
    small.resize(380, dark=dark)
    small.run("for (const one of document.querySelectorAll('details')) one.open = true")
    small.command("Runtime.evaluate", expression=(Path(found.origin).parent / "axe.min.js").read_text())
    small.run("axe.run(document).then((found) => { window.found = found; })")
    small.wait_for(lambda: small.run("return window.found !== undefined"))
    violations = small.run(
        "return window.found.violations.map((one) => [one.id, one.impact, one.nodes.slice(0, 3).map((node) => node.html)])"
    )
    assert not [one for one in violations if one[1] in ("serious", "critical")]
    assert small.run("return window.found.passes.some((rule) => rule.id === 'color-contrast')")


# --- on paper ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["small", "wide"])
def test_nothing_is_cut_off_or_scrolled_on_paper(window: Browser, reports: dict[str, Path], name: str) -> None:
    window.open(reports[name].as_uri())
    window.resize(PAPER)
    window.command("Emulation.setEmulatedMedia", media="print")
    try:
        over = window.run("""
            return [...document.querySelectorAll('table, p, li, pre, svg, h2, h3, th, td, th span, td span')]
                .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
                .map((one) => `${one.tagName} ${one.textContent.slice(0, 60)}`)""")
        assert not over, over[:5]
        assert window.run("return getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
        assert window.run(
            "return [...document.querySelectorAll('details tr')].every((one) => one.getBoundingClientRect().height)"
        )
        assert window.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    finally:
        window.command("Emulation.setEmulatedMedia", media="")


@pytest.fixture(scope="module")
def printed(reports: dict[str, Path]) -> dict[str, bytes]:
    if shutil.which("chromium") is None:
        pytest.skip("chromium not installed: apt-get install chromium")
    return {name: print_page(file.read_text()) for name, file in reports.items()}


@pytest.mark.parametrize("name", ["small", "wide", "maps"])
def test_no_figure_needs_more_than_a_third_of_a_page(window: Browser, reports: dict[str, Path], name: str) -> None:
    """So much of the page before is white at most where it does not fit: a figure, or a row of it where it has several."""
    window.open(reports[name].as_uri())
    window.resize(PAPER)
    window.command("Emulation.setEmulatedMedia", media="print")
    try:
        heights = window.run("""
            return [...document.querySelectorAll('figure')].flatMap((one) => {
                const panels = [...one.querySelectorAll('.panel')], next = one.nextElementSibling;
                const end = next && next.classList.contains('sources') ? next : one;
                const whole = end.getBoundingClientRect().bottom - one.getBoundingClientRect().top;
                return panels.length < 4 ? [whole] : panels.map((panel) => panel.getBoundingClientRect().height);
            })""")
        assert heights
        assert max(heights) <= PAPER_HEIGHT / 3
    finally:
        window.command("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("name", ["small", "wide", "maps"])
def test_pages_are_full_and_headings_stay_with_what_they_head(
    printed: dict[str, bytes], reports: dict[str, Path], name: str
) -> None:
    document = pypdfium2.PdfDocument(printed[name])
    headings = {"Aggregate scores", "Comparisons of all methods", "Learning speed", "Tasks", "Runs", "Methods", "Provenance"}
    for number, page in enumerate(document):
        picture = np.asarray(page.render(scale=1, grayscale=True).to_numpy()).squeeze()
        body = picture[: int(0.93 * len(picture))]  # without the page's number
        last = np.flatnonzero(body.min(axis=1) < 200).max() / len(body)
        if number + 1 < len(document):
            assert last > 0.72, f"page {number + 1} ends in white"
        text = page.get_textpage()
        rectangles = [text.get_rect(i) for i in range(text.count_rects())]
        lowest = min((one for one in rectangles if one[1] > BOTTOM), key=lambda one: one[1])
        assert text.get_text_bounded(0, lowest[1], page.get_width(), lowest[3]).strip() not in headings
        foot = "".join(text.get_text_bounded(0, 0, page.get_width(), BOTTOM).split())
        assert foot == f"{number + 1}/{len(document)}"


def test_what_is_folded_on_screen_is_open_on_paper(printed: dict[str, bytes], reports: dict[str, Path]) -> None:
    text = " ".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(printed["small"]))
    assert "<details" in without_own_script(reports["small"])
    for words in ("Every setting of every method", "combine.intrinsic_gamma", "Environment settings of each task", "lattice"):
        assert words in text
    assert "Theme" not in text


def test_a_table_over_several_pages_has_its_head_on_each(printed: dict[str, bytes]) -> None:
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(printed["wide"])]
    pages = [" ".join(text.split()) for text in texts]  # heads may stand in several lines
    assert sum("against" in page and "Signed rank" in page for page in pages) >= 2


def test_the_same_page_gives_the_same_file_without_a_date(printed: dict[str, bytes], reports: dict[str, Path]) -> None:
    again = print_page(reports["small"].read_text())
    assert again == printed["small"]
    assert b"Date (" not in again
    metadata = pypdfium2.PdfDocument(again).get_metadata_dict()
    assert metadata["Title"] == "synthetic: exploration report"
