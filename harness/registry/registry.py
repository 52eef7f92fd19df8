"""What is installed: every method, environment family, network, algorithm, executor, tracker and report section, by name.

A plugin is taken as a whole or not at all. Names are unique over all plugins; the first to give a name keeps it, and the
harness's own come first.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Generic, NoReturn, TypeVar

from harness.config import (
    KIND_AXES,
    AlgorithmConfig,
    Config,
    EnvironmentConfig,
    IntrinsicRewardConfig,
    TrackerConfig,
    missing_kinds,
)
from harness.errors import PluginError, UnknownNameError, UserError
from harness.registry import hooks
from harness.registry.discovery import BrokenPlugin, Description, Plugin, PluginInfo, builtin_plugin, discover
from harness.registry.error_summary import summarise_error_with_location
from harness.registry.importing import import_object
from harness.registry.mixtures import Mixture, describe_mixture, mixture_config, split_name

DISABLE_VARIABLE = "HARNESS_DISABLE_PLUGINS"
"""The environment variable that names entry points to pass over, separated by commas."""

DescriptionT = TypeVar("DescriptionT")
BaseT = TypeVar("BaseT")

Configurable = hooks.Method | hooks.EnvironmentFamily | hooks.Algorithm | hooks.Executor | hooks.Tracker

_KINDS: dict[type, str] = {
    hooks.Method: "method",
    hooks.EnvironmentFamily: "environment",
    hooks.Network: "network",
    hooks.Algorithm: "algorithm",
    hooks.Executor: "executor",
    hooks.Tracker: "tracker",
    hooks.ReportSection: "report section",
}

_CONFIG_BASES: dict[type, type[Config]] = {
    hooks.Method: IntrinsicRewardConfig,
    hooks.EnvironmentFamily: EnvironmentConfig,
    hooks.Algorithm: AlgorithmConfig,
    hooks.Executor: Config,
    hooks.Tracker: TrackerConfig,
}


@dataclass(frozen=True)
class Provided(Generic[DescriptionT]):
    """A description and the plugin that gave it."""

    description: DescriptionT
    plugin: PluginInfo


class Registry:
    """Everything that plugins provide; see the module for which plugin wins a name.

    Args:
        plugins: Sound and broken plugins, in the order in which names are given away.
        disabled: Names of plugins that were passed over.

    Attributes:
        plugins: The plugins in use.
        broken: The plugins of which nothing is used.
        disabled: Names of plugins that were passed over.
        methods, environments, networks, algorithms, executors, trackers, report_sections: What is provided, by name.
    """

    def __init__(self, plugins: Sequence[Plugin | BrokenPlugin], disabled: Sequence[str] = ()) -> None:
        self.plugins: list[PluginInfo] = []
        self.broken: list[BrokenPlugin] = []
        self.disabled = list(disabled)
        self._provided: defaultdict[str, dict[str, Provided[Any]]] = defaultdict(dict)
        self.methods: dict[str, Provided[hooks.Method]] = self._provided["method"]
        self.environments: dict[str, Provided[hooks.EnvironmentFamily]] = self._provided["environment"]
        self.networks: dict[str, Provided[hooks.Network]] = self._provided["network"]
        self.algorithms: dict[str, Provided[hooks.Algorithm]] = self._provided["algorithm"]
        self.executors: dict[str, Provided[hooks.Executor]] = self._provided["executor"]
        self.trackers: dict[str, Provided[hooks.Tracker]] = self._provided["tracker"]
        self.report_sections: dict[str, Provided[hooks.ReportSection]] = self._provided["report section"]
        self._mixtures: dict[str, Mixture] = {}
        self._mixture_configs: dict[str, type[Config]] = {}
        for plugin in plugins:
            self._add(plugin)

    def method(self, name: str) -> hooks.Method:
        """The method of this name, or the mixture of several: see `harness.registry.mixtures`.

        Raises:
            UnknownNameError: Nothing installed provides it; `environment` and the others raise likewise.
            UserError: The methods of a mixture do not go together.
        """
        return self._mixture(name) or self._find("method", name)

    def member_names(self, method: str) -> list[str]:
        """The names of the methods that a method of this name is made of; its own, if it is no mixture."""
        described = self.method(method)
        return [member.name for member in described.members] if isinstance(described, Mixture) else [method]

    def _mixture(self, name: str) -> Mixture | None:
        """The mixture of this name, described once; ``None`` for any other name."""
        if name in self.methods or (parts := split_name(name)) is None:
            return None
        form, names = parts
        members = [self._find("method", member) for member in names]
        try:
            described = describe_mixture(form, members)
        except ValueError as error:
            raise UserError(f"{name!r}: {error}") from None
        return self._mixtures.setdefault(described.name, described)

    def environment(self, name: str) -> hooks.EnvironmentFamily:
        """The environment family of this name."""
        return self._find("environment", name)

    def network(self, name: str) -> hooks.Network:
        """The network of this name."""
        return self._find("network", name)

    def algorithm(self, name: str) -> hooks.Algorithm:
        """The base algorithm of this name."""
        return self._find("algorithm", name)

    def executor(self, name: str) -> hooks.Executor:
        """The executor of this name."""
        return self._find("executor", name)

    def tracker(self, name: str) -> hooks.Tracker:
        """The tracker of this name."""
        return self._find("tracker", name)

    def load(self, import_path: str) -> Any:
        """Import what a description names.

        Args:
            import_path: Module and attribute, as ``"package.module:Attribute"``.

        Raises:
            PluginError: It cannot be imported; names the path, the plugin and the cause.
        """
        try:
            return import_object(import_path)
        except Exception as error:  # a stranger's module may raise anything
            raise PluginError(
                f"cannot import {import_path!r}{self._origin(import_path)}: {summarise_error_with_location(error)}"
            ) from error

    def load_class(self, import_path: str, base: type[BaseT]) -> type[BaseT]:
        """Import a class that a description names.

        Args:
            import_path: Module and class, as ``"package.module:Class"``.
            base: What it must be a subclass of.

        Raises:
            PluginError: It cannot be imported, or is something else.
        """
        loaded = self.load(import_path)
        if not (isinstance(loaded, type) and issubclass(loaded, base)):
            public = f"harness.{base.__name__}" if base.__module__.startswith("harness.config") else None
            self.refuse(import_path, f"must be a subclass of {public or f'{base.__module__}.{base.__name__}'}")
        return loaded

    def refuse(self, import_path: str, reason: str) -> NoReturn:
        """Say that what a description names does not meet its contract.

        Args:
            import_path: What it names.
            reason: The rest of a sentence that begins with it, such as ``must be a function``.

        Raises:
            PluginError: Always; names the path, the plugin and the reason.
        """
        raise PluginError(f"{import_path!r}{self._origin(import_path)} {reason}")

    def config_class(self, description: Configurable) -> type[Config]:
        """The configuration model of a method, environment family or algorithm, or of an executor that has settings.

        Raises:
            PluginError: It cannot be imported, or is not a model of the right kind.
        """
        if isinstance(description, Mixture):
            return self._mixture_config(description)
        if isinstance(description, hooks.Tracker) and not description.config:
            return TrackerConfig
        loaded = self.load_class(description.config, _CONFIG_BASES[type(description)])
        if issubclass(loaded, AlgorithmConfig) and getattr(loaded, "kind", None) not in KIND_AXES["learner"]:
            self.refuse(description.config, "must say what it is: kind = 'on_policy' or 'off_policy', as a ClassVar")
        return loaded

    def _mixture_config(self, mixture: Mixture) -> type[Config]:
        if mixture.name not in self._mixture_configs:
            members = {member.name: self.config_class(member) for member in mixture.members}
            self._mixture_configs[mixture.name] = mixture_config(mixture, members)
        return self._mixture_configs[mixture.name]

    def algorithm_config(self, name: str) -> type[AlgorithmConfig]:
        """The configuration model of the algorithm of this name."""
        loaded = self.config_class(self.algorithm(name))
        assert issubclass(loaded, AlgorithmConfig)
        return loaded

    def algorithms_for(self, method: hooks.Method) -> list[str]:
        """Names of the installed algorithms that a method works with; those whose configuration is broken are left out."""
        found: list[str] = []
        for name in self.algorithms:
            with suppress(PluginError):
                if not missing_kinds(method.works_with, self.algorithm_config(name).kinds()):
                    found.append(name)
        return found

    def default_algorithm(self, method: hooks.Method) -> str:
        """The first of `algorithms_for`, which shows what tuning would search.

        Raises:
            UserError: There is none.
        """
        names = self.algorithms_for(method)
        if not names:
            kinds = ", ".join(sorted(method.works_with))
            raise UserError(f"method {method.name!r} works with learners that are {kinds}, and none is installed")
        return names[0]

    def presets(self, description: hooks.Method | hooks.Algorithm) -> dict[str, hooks.Preset]:
        """Published settings by name, the default of a method first; an algorithm's include those of other plugins."""
        if isinstance(description, Mixture):
            return {preset.name: preset for preset in description.presets}
        kind = _KINDS[type(description)]
        return {name: preset.description for name, preset in self._provided[_preset_kind(kind, description.name)].items()}

    def provider(self, kind: str, name: str) -> PluginInfo:
        """Where a name comes from.

        Args:
            kind: ``method``, ``environment``, ``network``, ``algorithm``, ``executor``, ``tracker`` or
                ``report section``.
            name: One that is provided.
        """
        return self._provided[kind][name].plugin

    def packages(self, kind: str, name: str) -> Sequence[str]:
        """Distributions that a description declares to decide its numbers; see `provider` for ``kind`` and ``name``."""
        return getattr(self._provided[kind][name].description, "packages", ())

    def preset_provider(self, description: hooks.Method | hooks.Algorithm, preset: str) -> PluginInfo:
        """Where a preset comes from, which for an algorithm's may be another plugin than the algorithm's own."""
        return self._provided[_preset_kind(_KINDS[type(description)], description.name)][preset].plugin

    def _find(self, kind: str, name: str) -> Any:
        provided = self._provided[kind]
        if name in provided:
            return provided[name].description
        notes = [str(plugin) for plugin in self.broken]
        notes += [f"plugin {plugin!r} is disabled by {DISABLE_VARIABLE}" for plugin in self.disabled]
        raise UnknownNameError(kind, name, provided, f"- note: {'; '.join(notes)}" if notes else "")

    def _origin(self, import_path: str) -> str:
        for provided in chain.from_iterable(names.values() for names in self._provided.values()):
            if import_path in vars(provided.description).values():
                return f" of plugin {provided.plugin}"
        return ""

    def _add(self, plugin: Plugin | BrokenPlugin) -> None:
        if isinstance(plugin, BrokenPlugin):
            self.broken.append(plugin)
        elif conflict := self._conflict(plugin):
            info = plugin.info
            self.broken.append(BrokenPlugin(info.name, info.distribution, info.version, conflict))
        else:
            self.plugins.append(plugin.info)
            for kind, name, content in _named_descriptions(plugin.descriptions):
                self._provided[kind][name] = Provided(content, plugin.info)

    def _conflict(self, plugin: Plugin) -> str:
        """Why a plugin cannot be added, or nothing."""
        for taken in self.plugins:
            if taken.name == plugin.info.name:
                return f"a plugin of this name is already in use: {taken}"
        seen: set[tuple[str, str]] = set()
        for kind, name, _ in _named_descriptions(plugin.descriptions):
            if (kind, name) in seen:
                return f"it provides the {kind} {name!r} twice"
            if provided := self._provided[kind].get(name):
                return f"the {kind} {name!r} is already provided by plugin {provided.plugin}"
            seen.add((kind, name))
        return ""


def _named_descriptions(descriptions: Sequence[Description]) -> Iterator[tuple[str, str, Any]]:
    """Everything that takes a name: what kind of thing, the name, and the thing."""
    for description in descriptions:
        if isinstance(description, hooks.AlgorithmPreset):
            yield _preset_kind("algorithm", description.algorithm), description.preset.name, description.preset
            continue
        kind = _KINDS[type(description)]
        yield kind, description.name, description
        for preset in getattr(description, "presets", ()):
            yield _preset_kind(kind, description.name), preset.name, preset


def _preset_kind(kind: str, name: str) -> str:
    return f"preset of {kind} {name!r}"


@cache
def installed() -> Registry:
    """The registry of this installation; found once per process."""
    disabled = [name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(",") if name.strip()]
    return Registry([builtin_plugin(), *discover(disabled)], disabled)
