"""What can go wrong, as one tree.

    HarnessError
    ├── UserError             the input is at fault: one line, exit code 2, nothing was started
    │   ├── SuiteError        a suite file; knows file, line and key
    │   ├── UnknownNameError  a name nobody provides; knows the nearest ones
    │   ├── PluginError       a plugin that is needed but broken
    │   ├── ResultsError      a results folder that cannot be read or written
    │   └── StudyError        a study, or its storage, that cannot be used
    └── RunError              one run failed; the others go on, exit code 1

Anything outside this tree that reaches a user is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path


class HarnessError(Exception):
    """The root of everything the harness raises on purpose."""


class UserError(HarnessError):
    """Something the user can mend; the message says what, where and how."""


MAX_LISTED = 60
"""Names that a message lists."""

_MAX_COMPARED = 1_000  # since comparing takes time for each of them


def shorten(text: str, most: int = 80) -> str:
    """A text as a message quotes it: whole, or its beginning.

    >>> shorten("abcdef", most=5)
    'ab...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def plural(number: int, noun: str) -> str:
    """A number of things.

    >>> plural(1, "run"), plural(3, "run")
    ('1 run', '3 runs')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def without_control_characters(text: str) -> str:
    """A text without characters that command a terminal or turn a line around; each becomes one other, ``U+FFFD``."""
    if text.isprintable():
        return text
    commands = {ord(one): "\ufffd" for one in set(text) - {"\n", "\t"} if unicodedata.category(one) in _UNPRINTABLE}
    return text.translate(commands) if commands else text


_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class SuiteError(UserError):
    """A suite file that cannot be used.

    Args:
        message: What was wrong and what would be right.
        file: The suite file, if the suite came from one.
        line: 1-based line number, if known.
        key: Dotted path of the offending key, such as ``methods.rnd.config.eta``.
    """

    def __init__(self, message: str, *, file: Path | str | None = None, line: int | None = None, key: str = "") -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        where = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(": ".join(part for part in (where, key, message) if part))


class UnknownNameError(UserError):
    """A name that nothing installed provides.

    Args:
        kind: What was looked for, such as ``"method"``.
        name: The name as given.
        known: Every name that would have been right.
        hint: A further sentence, such as how to install what is missing.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        name = shorten(name)
        super().__init__(" ".join(part for part in (f"unknown {kind} {name!r}{suggest(name, self.known)}", hint) if part))


class PluginError(UserError):
    """A plugin that is needed here and cannot be used."""


class ResultsError(UserError):
    """A results folder that cannot be read or written."""


class StudyError(UserError):
    """A study of settings, or the storage that keeps it, that cannot be used."""


class RunError(HarnessError):
    """One run failed for a reason that is not the user's input."""


_LINE_ENDS = re.compile(r"\s*[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\s*")


def printable(text: str, limit: int = 500, *, lines: bool = False) -> str:
    r"""Somebody else's text so that it can be printed and stored: no control characters, and no longer than ``limit``.

    Args:
        text: The text, such as a plugin's exception or the name of a metric.
        limit: The largest number of characters of the result; of a longer text the middle is left out.
        lines: Whether line ends and tabs stay; if not, each becomes a space, with the white space around it.

    >>> printable("red\x1b[31m\nalert"), printable("a" * 9 + "b" * 9, limit=12)
    ('red\\x1b[31m alert', 'aaaa ... bbb')
    """
    gap = " ... "
    if len(text) > limit * 4:  # escapes make texts longer, so what is left out here would be left out below as well
        text = text[: limit * 2] + gap + text[-limit * 2 :]
    if not lines:
        text = _LINE_ENDS.sub(" ", text).strip()
    plain = "".join(one if one.isprintable() or (lines and one in "\n\t") else _escape(one) for one in text)
    if len(plain) <= limit:
        return plain
    tail = (limit - len(gap)) // 2
    return plain[: limit - len(gap) - tail] + gap + plain[len(plain) - tail :]


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def nearest(name: str, known: Iterable[str], ignored: str = "") -> str:
    """The likeliest meaning of a misspelt name, or of one in another's spelling: only letters and digits count.

    Args:
        name: The name that was given; a version such as ``-v0`` at its end does not count.
        known: Valid names, in the order in which equally near ones are preferred; at least one.
        ignored: A regular expression of what does not count either, in small letters.

    >>> nearest("FetchPush-v4", ["fetch_reach", "fetch_push"])
    'fetch_push'
    """
    ignored_parts = re.compile("|".join(filter(None, [ignored, r"-v\d+$", "[^a-z0-9]"])))
    plain = {ignored_parts.sub("", one.lower()): one for one in known}
    return plain[difflib.get_close_matches(ignored_parts.sub("", name.lower()), plain, n=1, cutoff=0)[0]]


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the nearest of ``known``, or all of them.

    >>> suggest("rdn", ["rnd", "icm"])
    ": did you mean 'rnd'? (known: icm, rnd)"
    """
    names = [shorten(one) for one in sorted(known)]
    if not names:
        return " (none is known)"
    listing, name = ", ".join(names[:MAX_LISTED]), shorten(name)
    if len(names) > MAX_LISTED:
        listing += f" and {len(names) - MAX_LISTED:,} more"
    close = difflib.get_close_matches(name, names[:_MAX_COMPARED], n=1, cutoff=0.5)
    return f": did you mean {close[0]!r}? (known: {listing})" if close else f" (known: {listing})"
