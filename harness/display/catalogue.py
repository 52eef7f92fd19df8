"""What is installed, as tables; and one thing in full."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.catalogue import Detail, Entry, PluginEntry, PresetEntry, SuiteEntry
from harness.discovery import BrokenPlugin
from harness.display import words
from harness.display.console import print_table

_STATES = {"in use": "green", "broken": "red", "disabled": "yellow"}


def print_entries(console: Console, kind: str, found: Sequence[Entry] | Sequence[PluginEntry] | Sequence[SuiteEntry]) -> None:
    """A table of everything of one kind, or a line that there is nothing."""
    if not found:
        console.print(f"{kind}: none\n")
        return
    if isinstance(found[0], SuiteEntry):
        columns, rows = ("file", "tasks", "methods", "seeds", "steps", "profiles", "about"), map(_suite_row, found)
    elif isinstance(found[0], PluginEntry):
        columns, rows = ("name", "package", "version", "state", "provides"), map(_plugin_row, found)
    else:
        columns, rows = ("name", "about", "source", "plugin"), map(_entry_row, found)
    print_table(console, kind, columns, rows, right=("seeds", "steps"), keep=("name", "file", "state"))
    console.print()


def print_broken(console: Console, broken: Iterable[BrokenPlugin]) -> None:
    """A line for each plugin of which nothing is used."""
    for plugin in broken:
        console.print(Text(str(plugin), style="red"), soft_wrap=True)


def print_detail(console: Console, detail: Detail) -> None:
    """One thing in full."""
    entry = detail.entry
    console.print(Text.assemble((entry.name, "bold"), f"  {entry.kind}"))
    console.print(entry.summary)
    facts = {"source": entry.source, "plugin": str(entry.plugin), **entry.facts}
    print_table(console, "", ("", ""), [(Text(title, style="dim"), text) for title, text in facts.items() if text])
    for preset in detail.presets:
        _print_preset(console, preset, default=entry.kind == "method" and preset is detail.presets[0])
    if detail.problem:
        console.print(Text(detail.problem, style="red"), soft_wrap=True)
    rows = [(s.name, s.type, s.default, s.bounds, s.search, s.meaning) for s in detail.settings]
    if rows:
        print_table(console, "settings", ("name", "type", "default", "bounds", "search", "meaning"), rows, keep=("name",))


def _entry_row(entry: Any) -> list[Any]:
    return [Text(entry.name, style="bold"), entry.summary, entry.source, f"{entry.plugin.name} {entry.plugin.version}"]


def _plugin_row(plugin: Any) -> list[Any]:
    state = Text(plugin.state, style=_STATES[plugin.state])
    return [Text(plugin.name, style="bold"), plugin.distribution, plugin.version, state, plugin.provides or plugin.cause]


def _suite_row(suite: Any) -> list[Any]:
    file = Text(suite.file, style="bold")
    if suite.problem:
        return [file, "", "", "", "", "", Text(suite.problem, style="red")]
    names = (", ".join(group) for group in (suite.tasks, suite.methods))
    return [file, *names, suite.seeds, words.count(suite.steps), ", ".join(suite.profiles), suite.description]


def _print_preset(console: Console, preset: PresetEntry, *, default: bool) -> None:
    title = Text.assemble("preset ", (preset.name, "bold"), " (default)" if default else "", f", of plugin {preset.plugin}")
    console.print(title)
    console.print(Text(f"  {preset.source}", style="dim"))
    values = [*_flat(preset.config), *(f"combine.{line}" for line in _flat(preset.combine))]
    console.print(f"  {', '.join(values)}\n")


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}: {json.dumps(value)}"
