"""What ``harness list`` and ``harness show`` tell: everything installed, and one thing in full, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.config.describe import Setting, describe_settings
from harness.errors import PluginError, UnknownNameError
from harness.registry import DISABLE_VARIABLE, Provided, Registry, hooks
from harness.registry.discovery import PluginInfo
from harness.registry.mixtures import split_name
from harness.tuning.parameters import SearchSpace
from harness.tuning.space import algorithm_space, method_space

KINDS = ("methods", "environments", "algorithms", "networks", "executors", "trackers", "report_sections")
"""What plugins provide, in the order in which it is listed; a registry has an attribute of each name."""


_MOST_NAMES = 10
"""Things of one kind that a plugin is listed with by name; more are counted."""


@dataclass(frozen=True)
class PresetEntry:
    """A preset, with the plugin it comes from where that is another than the algorithm's."""

    name: str
    source: str
    config: Mapping[str, Any]
    combine: Mapping[str, Any]
    plugin: str
    phases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


@dataclass(frozen=True)
class Entry:
    """One installed thing, for a table.

    Attributes:
        kind: Such as ``method``.
        name: Name as suites write it.
        summary: What it is, in one sentence.
        source: The paper or package it comes from.
        plugin: Who provides it.
        facts: What else its kind has to say, by title.
    """

    kind: str
    name: str
    summary: str
    source: str
    plugin: PluginInfo
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Detail:
    """One installed thing in full.

    Attributes:
        entry: Its line in the table.
        presets: Published settings, a method's default first.
        settings: Every field of its configuration.
        problem: Why there are no settings, when its configuration cannot be imported.
    """

    entry: Entry
    presets: Sequence[PresetEntry] = ()
    settings: Sequence[Setting] = ()
    problem: str = ""


@dataclass(frozen=True)
class PluginEntry:
    """One plugin: in use, broken (then with its ``cause``) or disabled."""

    name: str
    distribution: str
    version: str
    state: Literal["in use", "broken", "disabled"]
    provides: str = ""
    cause: str = ""


def entries(registry: Registry, kind: str) -> list[Entry]:
    """Everything of one of the `KINDS`, by name."""
    provided: Mapping[str, Provided[Any]] = getattr(registry, kind)
    return [_entry(_singular(kind), provided[name]) for name in sorted(provided)]


def plugins(registry: Registry) -> list[PluginEntry]:
    """Every plugin in the order in which names were given away, then the broken and the disabled ones."""
    provides: dict[str, list[str]] = {plugin.name: [] for plugin in registry.plugins}
    for kind in KINDS:
        named: dict[str, list[str]] = {}
        for entry in entries(registry, kind):
            named.setdefault(entry.plugin.name, []).append(f"{entry.kind} {entry.name}")
        for plugin, things in named.items():
            many = len(things) > _MOST_NAMES
            provides[plugin] += [f"{len(things)} {kind.replace('_', ' ')}"] if many else things
    found = [
        PluginEntry(plugin.name, plugin.distribution, plugin.version, "in use", provides=", ".join(provides[plugin.name]))
        for plugin in registry.plugins
    ]
    found += [PluginEntry(p.name, p.distribution, p.version, "broken", cause=p.cause) for p in registry.broken]
    return found + [PluginEntry(name, "", "", "disabled", cause=f"named in {DISABLE_VARIABLE}") for name in registry.disabled]


def describe(registry: Registry, name: str) -> list[Detail]:
    """Everything of this name in full, whatever its kind.

    Raises:
        UnknownNameError: Nothing of any kind has this name.
    """
    found = [_detail(registry, kind, name) for kind in KINDS if name in getattr(registry, kind)]
    if not found and split_name(name) is not None:
        return [_mixture_detail(registry, name)]
    if not found:
        known = {known for kind in KINDS for known in getattr(registry, kind)}
        notes = "; ".join(str(plugin) for plugin in registry.broken)
        raise UnknownNameError("name", name, known, f"- note: {notes}" if notes else "")
    return found


@dataclass(frozen=True)
class SpaceEntry:
    """What tuning searches of a method with its default preset, and on which algorithm."""

    space: SearchSpace
    algorithm: str


def space(registry: Registry, name: str) -> SpaceEntry:
    """The search space of a method, or of an algorithm alone.

    Raises:
        UnknownNameError: Nothing that has a search space has this name.
    """
    if name in registry.methods or split_name(name) is not None:
        method = registry.method(name)
        return SpaceEntry(method_space(method, registry), registry.default_algorithm(method))
    if name in registry.algorithms:
        return SpaceEntry(algorithm_space(registry.algorithm_config(name)), name)
    raise UnknownNameError("method", name, {*registry.methods, *registry.algorithms})


def _singular(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ")


def _entry(kind: str, provided: Provided[Any]) -> Entry:
    description = provided.description
    source = getattr(description, "paper", "") or getattr(description, "source", "")
    return Entry(kind, description.name, description.summary, source, provided.plugin, _facts(description))


def _facts(description: Any) -> dict[str, str]:
    match description:
        case hooks.Method():
            presets = ", ".join(preset.name for preset in description.presets)
            return {"works with": ", ".join(sorted(description.works_with)), "presets": presets, "class": description.reward}
        case hooks.EnvironmentFamily():
            at_a_time = f"{description.n_envs} on-policy, where neither suite nor preset says"
            return {"requires": description.requires, "environments at a time": at_a_time, "class": description.make}
        case hooks.Algorithm():
            return {"class": description.learner}
        case hooks.Network():
            return {"class": description.build}
        case hooks.ReportSection():
            return {"stands in each": description.scope, "order": str(description.order), "function": description.build}
        case _:
            return {"class": description.tracker if isinstance(description, hooks.Tracker) else description.executor}


def _detail(registry: Registry, kind: str, name: str) -> Detail:
    provided: Provided[Any] = getattr(registry, kind)[name]
    entry, description = _entry(_singular(kind), provided), provided.description
    if not getattr(description, "config", ""):
        return Detail(entry)
    presets = _presets(registry, description) if isinstance(description, hooks.Method | hooks.Algorithm) else []
    try:
        return Detail(entry, presets, list(describe_settings(registry.config_class(description))))
    except PluginError as error:
        return Detail(entry, presets, problem=str(error))


def _mixture_detail(registry: Registry, name: str) -> Detail:
    """What is known of a mixture, which no plugin provides: it is taken for the first member's plugin's."""
    method = registry.method(name)
    plugin = registry.methods[registry.member_names(name)[0]].plugin
    entry = Entry("method", method.name, method.summary, method.paper, plugin, _facts(method))
    presets = [
        PresetEntry(name=preset.name, source=preset.source, config={}, combine={}, plugin=plugin.name, phases={})
        for preset in method.presets
    ]  # the settings themselves are those of the members' presets, which are shown with these
    return Detail(entry, presets, list(describe_settings(registry.config_class(method))))


def _presets(registry: Registry, description: hooks.Method | hooks.Algorithm) -> list[PresetEntry]:
    return [
        PresetEntry(
            name=name,
            source=preset.source,
            config=dict(preset.config),
            combine=dict(preset.combine),
            plugin=registry.preset_provider(description, name).name,
            phases={phase: dict(settings) for phase, settings in preset.phases.items()},
        )
        for name, preset in registry.presets(description).items()
    ]
