"""What is on the page beside its looks: names of tables and figures, heads of rows, words for pictures, no empty charts."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report.pages import without_own_script
from report.synthetic import write_run, write_suite

from harness.report.build import build_report
from harness.report.drawing import Panel, Plot, method_styles
from harness.report.figures import inline_svgs

METHODS = {"ppo": 3.0, "rnd": 6.0}
WHITE, DARK = "#ffffff", "#14171b"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("page")
    results = write_suite(place / "results", METHODS, tasks=["north"], seeds=3, steps=[5000, 10_000])
    return without_own_script(build_report([results], place / "out", formats=["html"]))


def test_the_page_is_titled_after_its_suites(page: str, tmp_path: Path) -> None:
    assert "<title>synthetic: exploration report</title>" in page
    for suite in ("alpha", "beta"):
        write_suite(tmp_path / "results", {"ppo": 1.0}, tasks=["north"], seeds=1, suite=suite)
    text = build_report([tmp_path / "results"], tmp_path / "out", formats=["md"]).read_text()
    assert text.startswith("# alpha and beta: exploration report\n")


def test_every_table_has_a_name_and_heads_of_columns_and_rows(page: str) -> None:
    tables = re.findall(r'<table aria-labelledby="([^"]+)".*?</table>', page, re.DOTALL)
    assert len(tables) == page.count("<table") > 5
    for name in tables:
        assert re.search(rf'id="{name}"><span class="name">Table \d+\.</span> \S', page)
    bodies = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    for row in re.findall(r"<tr>(.*?)</tr>", "".join(bodies)):
        assert row.startswith('<th scope="row"')
        assert row.count("<th") == 1


def test_every_picture_has_a_title_and_says_what_is_to_be_seen(page: str) -> None:
    pictures = re.findall(r"<svg[^>]*role=\"img\".*?</svg>", page, re.DOTALL)
    assert len(pictures) == 8
    for picture in pictures:
        root = ElementTree.fromstring(picture.replace("xlink:href", "href"))
        words = {element.get("id"): element.text for element in list(root)[:2]}
        assert words[root.get("aria-labelledby")]
        assert re.search(r"\d", words[root.get("aria-describedby")] or "")
    assert "rnd from" in page
    assert "at step 10,000" in page
    captions = re.findall(r"<figcaption id=\"figure-(\d)\">", page)
    assert captions == [str(n + 1) for n in range(len(captions))]


def test_words_of_a_picture_are_words() -> None:
    panel = Panel("<b>\x1b</b>", lambda axes: None, description="a < b & \u202e")
    (picture,) = inline_svgs(Plot("name", "caption", (panel,), {}))
    root = ElementTree.fromstring(picture.replace("xlink:href", "href"))
    title, description = list(root)[:2]
    assert (title.text, description.text) == ("<b>\ufffd</b>", "a < b & \ufffd")


def test_charts_that_have_nothing_to_show_are_not_drawn(tmp_path: Path) -> None:
    for seed in range(3):
        for method, score in METHODS.items():
            write_run(tmp_path / "results", "dead", method, seed, curve={5000: [0.0], 10_000: [0.0]})
            write_run(tmp_path / "results", "short", method, seed, curve={10_000: [score]})
            write_run(tmp_path / "results", "north", method, seed, curve={5000: [0.0], 10_000: [score + seed]})
    page = build_report([tmp_path / "results"], tmp_path / "out", formats=["html"]).read_text()
    assert 'synthetic-curves-0-title">north<' in page
    assert "synthetic-curves-1" not in page
    assert (
        "No curve is drawn where it would show nothing: every evaluation gave 0 on dead; there is one evaluation on short."
        in page
    )
    single = write_suite(tmp_path / "single", METHODS, tasks=["north"], seeds=1, steps=[10_000])
    page = build_report([single], tmp_path / "out", formats=["html"]).read_text().replace("\u00a0", " ")
    assert "P(method &gt; ppo) with 95 % intervals and p values" in page
    assert [re.sub(r"-\d+$", "", name) for name in re.findall(r'<title id="([^"]+)-title">', page)] == [
        "synthetic-aggregates"
    ] * 4


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_lines_stand_out_from_both_pages_and_no_two_methods_look_the_same() -> None:
    styles = method_styles([f"m{i}" for i in range(12)] + ["ppo"], "ppo").values()
    for style in styles:
        assert min(contrast(style.colour, WHITE), contrast(style.colour, DARK)) >= 3, style
    assert all(one != other for one, other in combinations(styles, 2))


def test_no_text_names_a_colour_that_the_dark_page_does_not_have(page: str) -> None:
    assert "black" not in re.sub(r"<[^>]*>", " ", page.partition("</style>")[2])
