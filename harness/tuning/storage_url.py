"""What a user gives as a storage, parsed before anything is done with it.

`harness.config.secrets` shows it without its passwords; what cannot be told apart from a password is refused here without
being quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from harness.config.secrets import HIDDEN_PARAMETERS, SHOWN_PARAMETERS, mask_urls, masked
from harness.errors import StudyError

ACCEPTED_FORMS = "a file for a journal, sqlite:///FILE, or postgresql://USER@HOST/DATABASE"

_SERVERS = ("postgresql", "postgres", "mysql", "mariadb")
_AMBIGUOUS = re.compile(r"[@:?=&#;]")
_CREDENTIALS = re.compile(r":[^/]*@")
_SHORTEST_FRAGMENT = 4


@dataclass(frozen=True)
class Storage:
    """A storage as it was asked for.

    Attributes:
        kind: The kind of storage.
        file: File of a journal or of SQLite; ``None`` for a server.
        url: The URL of a database, with its password; ``None`` for a journal.
    """

    kind: Literal["journal", "sqlite", "server"]
    file: Path | None = None
    url: URL | None = None


def parse_storage(text: str) -> Storage:
    """A storage from what the user gave.

    Raises:
        StudyError: It is none of `ACCEPTED_FORMS`, or a password in it could be taken for something else.
    """
    text = text.strip()
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Storage("journal", _plain_file(text))
    family = scheme.partition("+")[0].lower()
    if family == "journal":
        return Storage("journal", _file_of(rest))
    if family == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return _parse_sqlite(text)
    if family in _SERVERS:
        return Storage("server", url=_parse_server(text))
    raise StudyError(f"unknown storage {masked(text)!r}: expected {ACCEPTED_FORMS}")


def _plain_file(text: str) -> Path:
    """The file of a journal that was given without a scheme."""
    if found := _AMBIGUOUS.search(text):
        raise StudyError(
            f"--storage: what was given has no scheme such as postgresql:// and holds {found[0]!r}, so that it is not taken"
            f" for a file: expected {ACCEPTED_FORMS}; journal://FILE for a file of any name"
        )
    return Path(text)


def _file_of(path: str) -> Path:
    if _CREDENTIALS.search(path) or "?" in path:
        raise StudyError("--storage: a file has no user, password or parameters: leave them out, or name the file otherwise")
    return Path(path)


def _parse_sqlite(text: str) -> Storage:
    path, _, query = text.partition("://")[2].partition("?")
    _file_of(unquote(path))
    if hidden := [name for name, _ in _parameters(query) if name.lower() not in SHOWN_PARAMETERS]:
        name = f" {hidden[0]!r}" if hidden[0].lower() in HIDDEN_PARAMETERS else " of this name"
        raise StudyError(f"--storage: SQLite has no parameter{name}: it is a file, without user and password")
    url = _make_url(text)
    return Storage("sqlite", Path(url.database or ""), url)


def _parse_server(text: str) -> URL:
    """The URL of a server, where it means the same to everybody: a stray ``@`` or ``/`` of a password would move the host."""
    rest = text.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if rest.count("@") > 1 or "@" in rest[len(authority) :] or authority.rpartition("@")[0].count(":") > 1:
        reason = "write '@' in a password as %40, ':' as %3A, '/' as %2F, '?' as %3F and '#' as %23"
        raise StudyError(f"storage {masked(text)!r}: {reason}")
    url = _make_url(text)
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgres", "postgresql"} else url


def _make_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (SQLAlchemyError, ValueError):
        raise StudyError(f"storage {masked(text)!r} is no URL: expected {ACCEPTED_FORMS}") from None
    return url.set(drivername=url.drivername.lower())


# --------------------------------------------------------------------------------------------------------------------
# What may be shown
# --------------------------------------------------------------------------------------------------------------------
def secrets_of(url: URL) -> list[str]:
    """Whatever of a URL must not be shown, in each spelling that another's message may have it in."""
    values = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        if name.lower() not in SHOWN_PARAMETERS:
            values += [value] if isinstance(value, str) else list(value)
            values += [name] if name.lower() not in HIDDEN_PARAMETERS else []
    spellings = [spelt for value in values for spelt in (value, quote(value, safe=""), quote_plus(value), repr(value)[1:-1])]
    return list(dict.fromkeys(filter(None, spellings)))


def without_secrets(text: str, url: URL) -> str:
    """A text of other people's making, or that it is left out, where any part of the URL's secrets is in it."""
    if any(fragment in text for secret in secrets_of(url) for fragment in _fragments(secret)):
        return "its driver's message is left out, since it quotes what may be a part of a password"
    return mask_urls(text)


def _fragments(secret: str) -> Iterator[str]:
    if len(secret) <= _SHORTEST_FRAGMENT:
        yield secret
    for start in range(len(secret) - _SHORTEST_FRAGMENT + 1):
        yield secret[start : start + _SHORTEST_FRAGMENT]


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value)
