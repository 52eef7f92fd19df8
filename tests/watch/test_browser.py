"""The pages as a browser shows them: refreshed by a script, whole without one, within any width, and without a complaint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.browser import Browser, browser
from watch.conftest import HOSTILE, Results, Site

pytestmark = pytest.mark.slow

WIDTHS = (320, 380, 700, 1280)


@pytest.fixture
def window() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def window_without_scripts() -> Iterator[Browser]:
    with browser(scripts=False) as opened:
        yield opened


def address(site: Site, path: str = "/") -> str:
    return f"http://127.0.0.1:{site.port}{path}"


def test_the_page_follows_a_run_without_being_loaded_anew(window: Browser, site: Site, results: Results) -> None:
    window.resize(1120)
    window.open(address(site))
    assert "2,500 of 10,000" in window.text()
    window.run("window.marked = true; document.getElementById('waiting').open = true")
    results.live.progress(7500)
    window.wait_for(lambda: "7,500 of 10,000" in window.text())
    assert window.run("return window.marked") is True
    assert window.run("return document.getElementById('waiting').open") is True
    results.live.finish()
    window.wait_for(lambda: "Nobody is training here now." in window.text())
    assert HOSTILE in window.text()
    assert not window.complaints()


def test_the_report_grows_in_its_frame_and_stays_where_it_is_scrolled(window: Browser, site: Site, results: Results) -> None:
    frame = "document.querySelector('iframe')"
    window.open(address(site, "/report"))
    window.wait_for(lambda: window.run(f"return {frame}?.contentDocument?.body?.textContent.includes('2 of 8')"))
    window.run(f"{frame}.contentWindow.scrollTo(0, 400)")
    results.live.finish()
    window.wait_for(lambda: window.run(f"return {frame}?.contentDocument?.body?.textContent.includes('3 of 8')"))
    window.wait_for(lambda: window.run(f"return {frame}.contentWindow.scrollY") == 400)
    assert not window.complaints()


def test_a_server_that_is_gone_is_told(window: Browser, site: Site) -> None:
    window.open(address(site))
    window.run("window.fetch = () => Promise.reject(new Error('gone'))")
    window.wait_for(lambda: "no answer any more; read at" in window.text())


def test_no_inline_script_would_run(window: Browser, site: Site) -> None:
    window.open(address(site))
    window.run("""
        const script = document.createElement("script");
        script.textContent = "document.title = 'broken into'";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='document.title = \\"broken into\\"'>");
    """)
    window.wait_for(lambda: len([line for line in window.complaints() if "Content Security Policy" in line]) >= 1)
    assert "broken into" not in window.title()


@pytest.mark.parametrize("path", ["/", "/report"])
def test_no_width_needs_scrolling_sideways(window: Browser, site: Site, results: Results, path: str) -> None:
    results.live.fail("ValueError: " + "x" * 300)
    site.ask("/report")
    window.open(address(site, path))
    if path == "/report":
        window.wait_for(lambda: window.run("return document.querySelector('iframe') !== null"))
    for width in WIDTHS:
        window.resize(width)
        seen = window.run("const page = document.documentElement; return [page.scrollWidth, page.clientWidth]")
        assert seen == [width, width]
        if path == "/report":
            inside = "const page = document.querySelector('iframe').contentDocument.documentElement;"
            assert window.run(f"{inside} return page.scrollWidth - page.clientWidth") == 0


def test_without_scripts_everything_is_there_and_refreshes(
    window_without_scripts: Browser, site: Site, results: Results
) -> None:
    window = window_without_scripts
    window.open("data:text/html,<title>no scripts</title><script>document.title = 'scripts'</script>")
    assert window.title() == "no scripts"
    window.open(address(site))
    assert "2,500 of 10,000" in window.text()
    results.live.progress(5000)
    window.wait_for(lambda: "5,000 of 10,000" in window.text())
    assert not window.complaints()
