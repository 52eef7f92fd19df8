"""A suite file copied to be edited: its text and comments as they are, under another name."""

from __future__ import annotations

import re
from typing import cast

from ruamel.yaml import YAML
from ruamel.yaml.events import Event, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

SCHEMA_FILE = "suite.schema.json"
"""The JSON Schema beside suites that ``harness new-suite`` wrote."""

SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""The comment from which editors know the schema of a file."""

_SCHEMA_LINES = re.compile(r"^# yaml-language-server:.*\n", re.MULTILINE)


def renamed_suite(text: str, name: str, file: str, source: str) -> str:
    """The text of a suite with another name, an editor's schema line at its top, and the new file in its comments.

    Args:
        text: The suite as it is written, of which it is known that it can be read.
        name: Its new name.
        file: Path of the file that is to hold it, as comments have it in commands.
        source: File name of the original, such as ``quick.yaml``.
    """
    start, end = _span_of_name(text)
    text = text[:start] + name + text[end:]
    original = re.compile(rf"(?:[\w./-]*/)?(?<![\w-]){re.escape(source)}\b")
    lines = _SCHEMA_LINES.sub("", text).splitlines(keepends=True)
    return f"{SCHEMA_LINE}\n" + "".join(
        original.sub(lambda _: file, line) if line.lstrip().startswith("#") else line for line in lines
    )


def _span_of_name(text: str) -> tuple[int, int]:
    """Where the value of the key ``suite`` at the top begins and ends."""
    depth, key = 0, ""
    for event in YAML(typ="safe", pure=True).parse(text):
        if depth == 1 and key == "suite" and isinstance(event, ScalarEvent):
            return _span(event)
        if depth == 1:
            key = cast(str, event.value) if isinstance(event, ScalarEvent) and not key else ""
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
    raise ValueError("a suite that can be read has a name")


def _span(event: Event) -> tuple[int, int]:
    return cast(int, event.start_mark.index), cast(int, event.end_mark.index)
