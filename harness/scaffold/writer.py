"""What a new plugin is called, whether it may be called that, and its files."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from harness import __version__
from harness.errors import UnknownNameError, UserError
from harness.registry import Registry
from harness.runs.output import OutputFolder

_NAME = re.compile(r"(?=.{1,40}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")

_SHARED_FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    ".gitignore": "gitignore.j2",
    "{package}/__init__.py": "init.py.j2",
    "{package}/py.typed": "py.typed.j2",
}
_OWN_FILES = {
    "README.md": "README.md.j2",
    "{package}/plugin.py": "plugin.py.j2",
    "{package}/config.py": "config.py.j2",
    "suites/{name}.yaml": "suite.yaml.j2",
    "tests/test_{name}.py": "test.py.j2",
}
"""Templates that every kind has one of its own of."""


@dataclass(frozen=True)
class PluginKind:
    """A kind of thing that a new plugin may provide.

    Attributes:
        name: Name to be given to ``--kind``, with which those of its templates begin.
        what: The kind in words.
        article: Before these words, where a sentence begins with them.
        module: Module of the package that holds the heavy class.
        suffix: Makes another name of one that cannot be used.
    """

    name: str
    what: str
    article: str
    module: str
    suffix: str

    @property
    def templates(self) -> dict[str, str]:
        """The template that each file is made from."""
        own = {**_OWN_FILES, f"{{package}}/{self.module}.py": f"{self.module}.py.j2"}
        return _SHARED_FILES | {path: f"{self.name}_{template}" for path, template in own.items()}


KINDS: dict[str, PluginKind] = {
    kind.name: kind
    for kind in (
        PluginKind("method", "exploration bonus", "An", "reward", "bonus"),
        PluginKind("environment", "environment family", "An", "environment", "world"),
        PluginKind("algorithm", "base algorithm", "A", "learner", "learner"),
    )
}
"""What ``new-plugin`` can write, by name; the first is the default."""


@dataclass(frozen=True)
class NewPlugin:
    """A plugin that is to be.

    Attributes:
        name: Name of what it provides, as written in a suite.
        kind: Kind of thing that it provides.
    """

    name: str
    kind: PluginKind = KINDS["method"]

    @property
    def package(self) -> str:
        """Name of the import package; never that of another plugin of the harness by accident."""
        return f"harness_{self.name}"

    @property
    def distribution(self) -> str:
        """Name of the distribution, which pip installs."""
        return self.package.replace("_", "-")

    @property
    def class_name(self) -> str:
        """Name of the plugin's class, or what the names of its classes begin with."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @cached_property
    def files(self) -> dict[str, str]:
        """Every file's text by its path."""
        templates = resources.files("harness.scaffold")
        context = {
            "name": self.name,
            "package": self.package,
            "distribution": self.distribution,
            "class_name": self.class_name,
            "what": self.kind.what,
            "article": self.kind.article,
            "harness_version": __version__,
        }
        return {
            path.format(**context): _render(templates.joinpath(template).read_text(encoding="utf-8"), context)
            for path, template in self.kind.templates.items()
        }


def write_plugin(name: str, folder: Path, registry: Registry, kind: str = "method") -> NewPlugin:
    """Write a plugin's files, or nothing at all.

    Args:
        name: Name of what it provides.
        folder: Where; created if need be.
        registry: What is installed, whose names are taken.
        kind: What it provides: one of `KINDS`.

    Raises:
        UserError: There is no such kind, the name cannot be used, or the folder holds something already or cannot be written.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of plugin", kind, KINDS)
    plugin = NewPlugin(name, KINDS[kind])
    _check_name(plugin, registry)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} is there already and not empty: choose another place with --dir")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror or error})") from error
    output = OutputFolder(folder)
    for path, text in plugin.files.items():
        output.write(path, text)
    return plugin


def _check_name(plugin: NewPlugin, registry: Registry) -> None:
    name = plugin.name
    if not _NAME.fullmatch(name):
        rule = "up to 40 small letters, digits and single '_', a letter first"
        raise UserError(f"{name!r} cannot name a plugin: use {rule}, such as {_suggest_name(plugin)!r}")
    if keyword.iskeyword(name) or name == "none":
        raise UserError(f"{name!r} cannot name a plugin: the word has a meaning of its own; try '{name}_{plugin.kind.suffix}'")
    kind = plugin.kind.name
    if name in getattr(registry, f"{kind}s"):
        article = "an" if kind[0] in "aeiou" else "a"
        raise UserError(f"there is {article} {kind} {name!r} already, provided by plugin {registry.provider(kind, name)}")
    taken = {found.name: found for found in (*registry.plugins, *registry.broken)}
    if name in taken:
        raise UserError(f"a plugin of this name is installed already: {name!r} ({taken[name].distribution})")
    if importlib.util.find_spec(plugin.package) is not None:
        raise UserError(f"a package {plugin.package!r} is installed already: choose another name")


def _suggest_name(plugin: NewPlugin) -> str:
    """The nearest name that would do."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plugin.name)
    repaired = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_0123456789")
    return repaired if _NAME.fullmatch(repaired) else f"my_{plugin.kind.suffix}"


def _render(template: str, context: Mapping[str, str]) -> str:
    import jinja2

    return jinja2.Template(template, undefined=jinja2.StrictUndefined, keep_trailing_newline=True).render(context)
