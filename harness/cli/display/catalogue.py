"""What is installed, as tables; and one thing in full."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.cli.catalogue import Detail, Entry, PluginEntry, PresetEntry, SpaceEntry
from harness.cli.display import formatting
from harness.cli.display.console import print_table
from harness.cli.suite_catalogue import SuiteEntry
from harness.config.describe import Setting
from harness.errors import plural
from harness.registry import DISABLE_VARIABLE, Registry
from harness.tuning.parameters import SearchSpace

_STATES = {"in use": "green", "broken": "red", "disabled": "yellow"}


def print_listing(console: Console, kind: str, found: Sequence[Any]) -> None:
    """Everything of one kind, as `harness.cli.catalogue` gives it, or a line that there is nothing."""
    if found:
        _PRINTERS.get(kind, _print_entries)(console, kind, found)
    else:
        console.print(f"{kind}: none")
    console.print()


def print_packaged_names(console: Console, names: Sequence[str]) -> None:
    """A line with the names of packaged suites."""
    if names:
        known = Text.assemble(("packaged suites: ", "bold"), f"{', '.join(names)} ('harness list suites' tells of each)")
        console.print(known, soft_wrap=True)


def print_unavailable_plugins(console: Console, registry: Registry) -> None:
    """A line for each plugin that is not in use, with the reason."""
    for plugin in registry.broken:
        console.print(Text(str(plugin), style="red"), soft_wrap=True)
    for name in registry.disabled:
        console.print(Text(f"plugin {name!r} is disabled by {DISABLE_VARIABLE}", style="yellow"), soft_wrap=True)


def print_detail(console: Console, detail: Detail) -> None:
    """One thing in full: as a suite would write it, each line with what there is to know."""
    entry = detail.entry
    console.print(Text.assemble((entry.name, "bold"), f"  {entry.kind}"))
    console.print(entry.summary)
    console.print()
    for title, text in {"source": entry.source, "plugin": str(entry.plugin), **entry.facts}.items():
        if text:
            _print_indented(console, Text.assemble((f"{title}: ", "dim"), text))
    for preset in detail.presets:
        _print_preset(console, preset, default=entry.kind == "method" and preset is detail.presets[0])
    if detail.problem:
        console.print(Text(detail.problem, style="red"), soft_wrap=True)
    if detail.settings:
        console.print(Text("\nsettings and their defaults", style="underline"))
    for setting in detail.settings:
        _print_setting(console, setting)
    console.print()


def print_space(console: Console, name: str, found: SpaceEntry) -> None:
    """What tuning searches, and how a suite changes that."""
    print_parameters(console, f"search space of {name} on {found.algorithm}", found.space)
    console.print("A suite narrows, widens or drops ranges under 'tune: space:'; see 'harness tune --help'.", soft_wrap=True)


def print_parameters(console: Console, title: str, space: SearchSpace) -> None:
    """A search space as a table."""
    rows = [
        (
            Text(parameter.name, style="bold"),
            json.dumps(parameter.default),
            parameter.range_in_words(),
            f"{parameter.when.name} is {' or '.join(map(str, parameter.when.values))}" if parameter.when else "",
            parameter.meaning,
        )
        for parameter in space.parameters
    ]
    print_table(
        console, title, ("parameter", "default", "range", "only while", "meaning"), rows, no_wrap_columns=("parameter",)
    )


def _print_entries(console: Console, kind: str, found: Sequence[Entry]) -> None:
    rows = [(Text(e.name, style="bold"), e.summary, e.source, f"{e.plugin.name} {e.plugin.version}") for e in found]
    print_table(console, kind, ("name", "about", "source", "plugin"), rows, no_wrap_columns=("name",))


def _print_environments(console: Console, kind: str, found: Sequence[Entry]) -> None:
    _print_entries(console, kind, found)
    for entry in found:
        if needed := entry.facts.get("requires"):
            _print_indented(console, Text.assemble((entry.name, "bold"), f" requires {needed}"))


def _print_plugins(console: Console, kind: str, found: Sequence[PluginEntry]) -> None:
    rows = [
        (Text(p.name, style="bold"), p.distribution, p.version, Text(p.state, style=_STATES[p.state]), p.provides or p.cause)
        for p in found
    ]
    print_table(console, kind, ("name", "package", "version", "state", "provides"), rows, no_wrap_columns=("name", "state"))


def _print_suites(console: Console, kind: str, found: Sequence[SuiteEntry]) -> None:
    console.print(Text(kind, style="bold"))
    for suite in found:
        _print_indented(
            console, Text.assemble((suite.name, "bold"), f"  {suite.file}") if suite.name else Text(suite.file, "bold")
        )
        if suite.problem:
            _print_indented(console, Text(suite.problem, style="red"), columns=6)
            continue
        _print_indented(console, Text(suite.description), columns=6)
        facts = {"tasks": suite.tasks, "methods": suite.methods}
        facts |= {"size": [_size(suite)], "time": [_time(suite)]} if suite.runs else {"size": ["it has no such profile"]}
        facts["profiles"] = suite.profiles
        for title, names in facts.items():
            if names:
                _print_indented(console, Text.assemble((f"{title}: ", "dim"), ", ".join(names)), columns=6)


def _size(suite: SuiteEntry) -> str:
    return f"{plural(suite.seeds, 'seed')}, {plural(suite.runs, 'run')} of {formatting.count(suite.steps)} steps"


def _time(suite: SuiteEntry) -> str:
    """Estimated hours with where they are from, or why there are none."""
    if suite.hours is None:
        methods = ", ".join(suite.unmeasured)
        return f"unknown, no speed recorded of {methods}; 'harness run {suite.name or suite.file} --dry-run' measures them"
    hours = f"{suite.hours:,.0f}" if suite.hours >= 10 else f"{suite.hours:.2g}"
    return f"about {hours} hours, one run after another (speeds: {'; '.join(suite.measured)})"


_PRINTERS = {"environments": _print_environments, "plugins": _print_plugins, "suites": _print_suites}


def _print_preset(console: Console, preset: PresetEntry, *, default: bool) -> None:
    origin = f" (default), of plugin {preset.plugin}" if default else f", of plugin {preset.plugin}"
    console.print(Text.assemble("\npreset ", (preset.name, "bold"), origin))
    _print_indented(console, Text(preset.source, style="dim"))
    values = [*_flat(preset.config), *_flat(preset.combine, "combine.")]
    _print_indented(console, Text(", ".join(values)))
    for name, phase in preset.phases.items():
        _print_indented(console, Text.assemble("phase ", (name, "bold"), f": {', '.join(_flat(phase))}"))


def _print_setting(console: Console, setting: Setting) -> None:
    search = f"search: {setting.search}" if setting.search else ""
    about = ", ".join(part for part in (setting.type, setting.bounds, search) if part)
    _print_indented(console, Text.assemble((setting.name, "bold"), f": {setting.default}  ", (f"# {about}", "dim")))
    if setting.meaning:
        _print_indented(console, Text(setting.meaning), columns=6)


def _print_indented(console: Console, text: Text, columns: int = 2) -> None:
    console.print(Padding(text, (0, 0, 0, columns), expand=False))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}: {json.dumps(value)}"
