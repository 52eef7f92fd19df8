"""What the server answers at all, and the headers of every answer.

Any page that the user has open may send requests to this server. So nothing but reading is answered, a name that another site
has bound to this address is refused by the header ``Host``, and no other site may frame, fetch or embed what is answered.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.report.page_script import SCRIPT_SOURCE

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The policy of content of this room's own pages: scripts and styles from their own addresses, and nothing inline."""

REPORT_POLICY = (
    f"default-src 'none'; script-src {SCRIPT_SOURCE}; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The policy of the report, a single file with its styles inline, which runs no script but its own."""

_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_METHODS = ("GET", "HEAD")

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Stands before an application.

    Args:
        application: What answers requests that are let through.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":  # there are no sockets here, and nothing to start or to end
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (_refusal(scope) or self._application)(scope, receive, send_guarded)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    """The answer to a request that is not let through."""
    hosts = Headers(scope=scope).getlist("host")
    if len(hosts) != 1 or not is_loopback(hosts[0]):
        return PlainTextResponse("this server answers to localhost and 127.0.0.1 alone\n", 421)
    if scope["method"] not in _METHODS:
        return PlainTextResponse("nothing can be changed here\n", 405, {"Allow": ", ".join(_METHODS)})
    return None


def is_loopback(host: str) -> bool:
    """Whether the header ``Host`` names this machine itself; any port will do, for tunnels have one of their own.

    >>> is_loopback("localhost:8642"), is_loopback("[::1]"), is_loopback("localhost.evil.example"), is_loopback("localhost:x")
    (True, True, False, False)
    """
    name, colon, port = host.lower().rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host.lower(), "0"
    return name in _HOSTS and port.isascii() and port.isdecimal()
