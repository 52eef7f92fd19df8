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
from harness.errors import UserError
from harness.registry import Registry
from harness.runs.files import write_text_atomic

_NAME = re.compile(r"(?=.{1,40}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")

_FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore.j2",
    "{package}/__init__.py": "init.py.j2",
    "{package}/plugin.py": "plugin.py.j2",
    "{package}/config.py": "config.py.j2",
    "{package}/reward.py": "reward.py.j2",
    "{package}/py.typed": "py.typed.j2",
    "suites/{name}.yaml": "suite.yaml.j2",
    "tests/test_{name}.py": "test.py.j2",
}
"""The template that each file is made from."""


@dataclass(frozen=True)
class NewPlugin:
    """A plugin that is to be.

    Attributes:
        name: Name of its method, as written after ``reward:`` in a suite.
    """

    name: str

    @property
    def package(self) -> str:
        """Of the import package; never that of another plugin of the harness by accident."""
        return f"harness_{self.name}"

    @property
    def distribution(self) -> str:
        """As pip names it."""
        return self.package.replace("_", "-")

    @property
    def class_name(self) -> str:
        """Of the `harness.IntrinsicReward` subclass."""
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
            "harness_version": __version__,
        }
        return {
            path.format(**context): _render(templates.joinpath(template).read_text(encoding="utf-8"), context)
            for path, template in _FILES.items()
        }


def write_plugin(name: str, folder: Path, registry: Registry) -> NewPlugin:
    """Write a plugin's files, or nothing at all.

    Args:
        name: Name of its method.
        folder: Where; created if need be.
        registry: What is installed, whose names are taken.

    Raises:
        UserError: The name cannot be used, or the folder holds something already or cannot be written.
    """
    plugin = NewPlugin(name)
    _check_name(plugin, registry)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} is there already and not empty: choose another place with --dir")
        for path, text in plugin.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_text_atomic(folder / path, text)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror}") from error
    return plugin


def _check_name(plugin: NewPlugin, registry: Registry) -> None:
    name = plugin.name
    if not _NAME.fullmatch(name):
        rule = "up to 40 small letters, digits and single '_', a letter first"
        raise UserError(f"{name!r} cannot name a plugin: use {rule}, such as {_suggest_name(name)!r}")
    if keyword.iskeyword(name) or name == "none":
        raise UserError(f"{name!r} cannot name a plugin: the word has a meaning of its own; try '{name}_bonus'")
    if name in registry.methods:
        raise UserError(f"there is a method {name!r} already, provided by plugin {registry.provider('method', name)}")
    taken = {found.name: found for found in (*registry.plugins, *registry.broken)}
    if name in taken:
        raise UserError(f"a plugin of this name is installed already: {name!r} ({taken[name].distribution})")
    if importlib.util.find_spec(plugin.package) is not None:
        raise UserError(f"a package {plugin.package!r} is installed already: choose another name")


def _suggest_name(name: str) -> str:
    """The nearest name that would do."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    repaired = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_0123456789")
    return repaired if _NAME.fullmatch(repaired) else "my_bonus"


def _render(template: str, context: Mapping[str, str]) -> str:
    import jinja2

    return jinja2.Template(template, undefined=jinja2.StrictUndefined, keep_trailing_newline=True).render(context)
