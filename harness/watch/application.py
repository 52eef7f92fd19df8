"""The addresses of the server. None of them holds a path: whatever is asked for, no other file is opened."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from harness.watch.document import StatusDocument
from harness.watch.guard import REPORT_POLICY, Guard
from harness.watch.looks import Look, Looks
from harness.watch.page import Pages, static_files
from harness.watch.report import GrowingReport


class Application:
    """Answers requests about results.

    Args:
        looks: The newest look at the results.
        report: The report on them, which follows the looks.
        pages: The pages that show both.
    """

    def __init__(self, looks: Looks, report: GrowingReport, pages: Pages) -> None:
        self._looks, self._report, self._pages = looks, report, pages
        self._rendered: dict[str, tuple[object, str]] = {}

    def asgi(self) -> Guard:
        """The application for a server, guarded."""
        routes = [
            Route("/", self._runs),
            Route("/report", self._report_page),
            Route("/report/page", self._report_content),
            Route("/status.json", self._status),
        ]
        files = static_files().items()
        routes += [Route(f"/{name}", _constant(Response(content, media_type=kind))) for name, (content, kind) in files]
        application = Starlette(routes=routes)
        application.router.redirect_slashes = False
        return Guard(application)

    def _look(self) -> Look:
        look = self._looks.newest()
        self._report.keep_up(look)
        return look

    # Endpoints that are plain functions run in threads of their own, so that a slow disk holds up nobody else.

    def _runs(self, request: Request) -> Response:
        look, report = self._look(), self._report.state
        return HTMLResponse(self._once("runs", (look.number, report), lambda: self._pages.runs(look, report)))

    def _report_page(self, request: Request) -> Response:
        look, report = self._look(), self._report.state
        return HTMLResponse(self._once("report", (look.number, report), lambda: self._pages.report(look, report)))

    def _status(self, request: Request) -> Response:
        look = self._look()
        text = self._once("status", look.number, lambda: StatusDocument.of(look.found).as_json())
        return Response(text, media_type="application/json")

    def _once(self, name: str, version: object, make: Callable[[], str]) -> str:
        """A text that is made once for each version of what it shows."""
        known = self._rendered.get(name)
        if known is None or known[0] != version:
            known = self._rendered[name] = version, make()
        return known[1]

    def _report_content(self, request: Request) -> Response:
        page = self._report.state.page
        if page is None:
            return PlainTextResponse("there is no report yet\n", 404)
        return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


def _constant(response: Response) -> Callable[[Request], Response]:
    return lambda request: response
