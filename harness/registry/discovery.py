"""Finding plugins and asking each what it provides, so that none of them can do harm to the others.

pluggy's own loader imports entry points without a guard, so one broken package would end the program. Here every plugin
gets a plugin manager of its own: whatever goes wrong while it is imported, registered or asked is put down to it alone,
and nothing of a plugin is used unless all of it is sound.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points, version
from typing import Any, cast, get_args, get_type_hints

import pluggy
from pydantic import TypeAdapter, ValidationError

from harness.config import KIND_AXES
from harness.errors import HarnessError
from harness.registry import builtin, hooks
from harness.registry.error_summary import summarise_error_with_location
from harness.version import DISTRIBUTION

Description = (
    hooks.Method
    | hooks.EnvironmentFamily
    | hooks.Network
    | hooks.Algorithm
    | hooks.AlgorithmPreset
    | hooks.Executor
    | hooks.ReportSection
    | hooks.Tracker
)

_PATH_FIELDS = {
    hooks.Method: ("reward", "config"),
    hooks.EnvironmentFamily: ("make", "config"),
    hooks.Network: ("build",),
    hooks.Algorithm: ("learner", "config"),
    hooks.Executor: ("executor",),
    hooks.Tracker: ("tracker",),
    hooks.ReportSection: ("build",),
}
_PATH_OPTIONAL = {hooks.Network}  # Stable-Baselines3's own networks are built by Stable-Baselines3
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class PluginInfo:
    """Where something comes from.

    Attributes:
        name: Name of the entry point.
        distribution: The installed package, as pip names it; empty when it is unknown.
        version: Version of the package; empty when it is unknown.
        module: The module that the entry point names.
    """

    name: str
    distribution: str
    version: str
    module: str

    def __str__(self) -> str:
        return f"{self.name!r} ({' '.join(filter(None, (self.distribution or 'unknown distribution', self.version)))})"


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin of which nothing is used.

    Attributes:
        name: Name of the entry point.
        distribution: The installed package.
        version: Version of the package; empty when it is unknown.
        cause: Why, in one line.
    """

    name: str
    distribution: str
    version: str
    cause: str

    def __str__(self) -> str:
        return f"plugin {PluginInfo(self.name, self.distribution, self.version, '')} is broken: {self.cause}"


@dataclass(frozen=True)
class Plugin:
    """A sound plugin and everything that it provides, in the order it gave."""

    info: PluginInfo
    descriptions: tuple[Description, ...]


class _InvalidPlugin(HarnessError):
    """A plugin gave something else than the hook specifications require; never leaves this module."""


def builtin_plugin() -> Plugin:
    """What the harness itself provides, through the same hooks as everyone else."""
    info = PluginInfo("builtin", DISTRIBUTION, version(DISTRIBUTION), builtin.__name__)
    return Plugin(info, _call_hooks(builtin, "builtin"))


def discover(disabled: Sequence[str] = ()) -> Iterator[Plugin | BrokenPlugin]:
    """Every installed plugin of the entry point group ``harness``, the harness's own distribution first.

    Args:
        disabled: Names of entry points that are passed over without being imported.
    """
    for entry_point in sorted(entry_points(group=hooks.GROUP), key=_load_order):
        if entry_point.name not in disabled:
            yield _load(entry_point)


def _load_order(entry_point: EntryPoint) -> tuple[bool, str, str]:
    info = _info(entry_point)
    return info.distribution != DISTRIBUTION, info.distribution, info.name


def _info(entry_point: EntryPoint) -> PluginInfo:
    name = version = ""
    with contextlib.suppress(Exception):  # a half-removed package has no metadata, or none that can be read
        if entry_point.dist is not None:
            name, version = entry_point.dist.name, entry_point.dist.version
    return PluginInfo(entry_point.name, name or "", version or "", entry_point.value)


def _load(entry_point: EntryPoint) -> Plugin | BrokenPlugin:
    info = _info(entry_point)
    try:
        # What a plugin prints while it is imported must not end up in a command's output.
        with contextlib.redirect_stdout(sys.stderr):
            return Plugin(info, _call_hooks(entry_point.load(), info.name))
    except KeyboardInterrupt:
        raise
    except (_InvalidPlugin, pluggy.PluginValidationError) as error:
        cause = " ".join(str(error).split())
    except BaseException as error:  # noqa: BLE001  a stranger's code may raise anything, SystemExit included
        cause = summarise_error_with_location(error)
    return BrokenPlugin(info.name, info.distribution, info.version, cause)


def _call_hooks(plugin: object, name: str) -> tuple[Description, ...]:
    """Call every hook of one plugin, and check what comes back."""
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    manager.register(plugin, name)
    manager.check_pending()
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise _InvalidPlugin("it implements no hook; its functions need the decorator @harness.hookimpl")
    return tuple(found for caller in callers for found in _checked_result(caller.name, caller()))


def _checked_result(hook: str, results: list[Any]) -> Iterator[Description]:
    kind = get_args(get_type_hints(getattr(hooks, hook))["return"])[0]
    for result in results:
        if not isinstance(result, Sequence) or isinstance(result, str):
            raise _InvalidPlugin(f"{hook}() must return a list of {kind.__name__}, not {_describe(result)}")
        for description in cast(Sequence[Any], result):
            if not isinstance(description, kind):
                raise _InvalidPlugin(f"{hook}() must return a list of {kind.__name__}; it contains {_describe(description)}")
            _check_fields(hook, description)
            yield description


def _check_fields(where: str, description: Any) -> None:
    """Dataclasses check nothing themselves; a wrong field would otherwise surface in the middle of some command."""
    kind = cast(type[Any], type(description))
    for name, hint in get_type_hints(kind).items():
        value = getattr(description, name)
        at = f"{where}: {kind.__name__} {getattr(description, 'name', '')!r}: {name}"
        try:
            _adapter(hint).validate_python(value, strict=True)
        except ValidationError as error:
            raise _InvalidPlugin(f"{at}: {error.errors()[0]['msg']}, not {_describe(value)}") from None
        if name == "name" and not _NAME.fullmatch(value):
            raise _InvalidPlugin(f"{at}: must be letters, digits, '_', '-', '+' or '.', not {value!r}")
        if name in _PATH_FIELDS.get(kind, ()) and not _IMPORT_PATH.fullmatch(value) and (value or kind not in _PATH_OPTIONAL):
            raise _InvalidPlugin(f"{at}: must be an import path such as 'package.module:Name', not {value!r}")
        if (
            name == "inline"
            and value
            and getattr(description, "tracker", "").partition(".")[0] != builtin.__name__.partition(".")[0]
        ):
            raise _InvalidPlugin(f"{at}: only the harness's own trackers write in the process of the run: leave it out")
        if name == "works_with" and not KIND_AXES["learner"] & value:
            raise _InvalidPlugin(f"{at}: must name on_policy, off_policy or both, not only {sorted(value)}")
        for preset in [value] if isinstance(value, hooks.Preset) else value if name == "presets" else []:
            _check_fields(where, preset)


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


def _describe(value: object) -> str:
    return f"{type(value).__name__} {value!r:.80}"
