"""Whatever may hold a password, shown without it: URLs, command lines, and what other people's messages quote.

A password may stand in more places than its own: after a ``?`` under any name, in a field of options, behind a forgotten
scheme. So what is shown is what is known to be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, unquote_plus, urlsplit

_HIDDEN = "***"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_PLAIN = re.compile(r"[\w.,+%~-]*")
_PLAIN_PATH = re.compile(r"[\w.,+%~/ -]*")
_CREDENTIALS = re.compile(r":[^/]*@")
_OPTION = re.compile(r"[\w.-]+")
"""An option, or the key of a setting after ``--set``."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|PASSW|PWD|SECRET|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 4

SHOWN_PARAMETERS = frozenset(
    {"application_name", "client_encoding", "connect_timeout", "dbname", "host", "hostaddr", "port", "sslmode", "user"}
    | {"cache", "charset", "mode", "timeout", "uri", "target_session_attrs", "tcp_user_timeout"}
    | {"keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval"}
)
"""Parameters that hold no secret; the values of all others are hidden, whatever they are called."""

HIDDEN_PARAMETERS = frozenset({"password", "passwd", "pwd", "sslpassword", "token", "secret", "options", "passfile", "sslkey"})
"""Parameters whose names can be shown, for nobody has such a password; the names of all others are hidden as well."""


def masked(text: str) -> str:
    """A storage without its passwords, and without whatever might be one.

    >>> masked("postgresql://me:secret@host/db?password=x&connect_timeout=3")
    'postgresql://me:***@host/db?password=***&connect_timeout=3'
    >>> masked("me:secret@host/db"), masked("results/journal.log")
    ('me:***@host/db', 'results/journal.log')
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        scheme, separator, rest = "", "", text
    user, at, location = _split_user(rest)
    if not separator and "@" in rest and ":" not in user:  # without a scheme a user may as well be a password
        user, at, location = _HIDDEN, "@", rest.rpartition("@")[2]
    path, mark, query = location.partition("?")
    place = _masked_place(path, is_file=not separator or scheme.lower().startswith(("sqlite", "journal")))
    return scheme + separator + user + at + place + mark + _masked_query(query)


def masked_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line without passwords: storages are masked, whether they are URLs or should have been."""
    shown: list[str] = []
    for position, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if equals and _OPTION.fullmatch(option) and (option == "--storage" or "://" in value):
            shown.append(f"{option}={masked(value)}")
        elif "://" in argument or (position and arguments[position - 1] == "--storage"):
            shown.append(masked(argument))
        else:
            shown.append(argument)
    return shown


def mask_urls(text: str) -> str:
    """A text with every URL in it masked, for it may hold a password."""
    return re.sub(r"[^\s'\"()<>]*://\S*", lambda found: masked(found[0]), text)


def _split_user(rest: str) -> tuple[str, str, str]:
    """The user, with a password hidden, the ``@`` after it, and what follows; whatever comes before an ``@`` may be secret."""
    before, at, location = rest.rpartition("@")
    if not at:
        return "", "", rest
    user, colon, _ = before.partition(":")
    if not colon and re.search(r"[/?#]", before):  # the '@' belongs to a path or to a parameter
        return "", "", rest
    if "?" in before:  # to a password or to a parameter, of which the rest may be a part
        location = _HIDDEN
    return (user if _PLAIN.fullmatch(user) else _HIDDEN) + (f":{_HIDDEN}" if colon else ""), at, location


def _masked_place(path: str, *, is_file: bool) -> str:
    """Host and database, or a file."""
    if is_file:
        return path if "=" not in path and not _CREDENTIALS.search(unquote(path)) else _HIDDEN
    host, slash, database = path.partition("/")
    shown_host = host if re.fullmatch(r"[\w.-]*(:\d*)?|\[[0-9A-Fa-f:.]*\](:\d*)?", host) else _HIDDEN
    return shown_host + slash + (database if _PLAIN_PATH.fullmatch(database) else _HIDDEN)


def _masked_query(query: str) -> str:
    shown: list[str] = []
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        known = unquote_plus(name).lower() in SHOWN_PARAMETERS and _PLAIN_PATH.fullmatch(unquote_plus(value))
        name = name if equals and unquote_plus(name).lower() in SHOWN_PARAMETERS | HIDDEN_PARAMETERS else _HIDDEN
        shown.append(name + equals + (value if known or not equals else _HIDDEN))
    return "&".join(shown)


def without_secret_values(text: str, environment: Mapping[str, str]) -> str:
    """A text of other people's making, with URLs masked and without the values of variables that hold secrets.

    >>> without_secret_values("401 for key abcdef", {"WANDB_API_KEY": "abcdef", "HOME": "/me"})
    '401 for key ***'

    Args:
        text: What may quote a secret.
        environment: Environment variables; those count whose names speak of a secret, or that are URLs with a password.
    """
    for secret in sorted(_secret_values(environment), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return mask_urls(text)


def _secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            yield value
        if "://" in value and "@" in value:
            yield from (secret for secret in (_password(value), unquote(_password(value))) if len(secret) >= _SHORTEST_SECRET)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
