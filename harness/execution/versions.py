"""Whether another machine has the code of this one: a suite whose runs came from two versions of it would compare nothing."""

from __future__ import annotations

import hashlib
import platform
import socket
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from harness.registry import installed
from harness.version import installed_version

_PACKAGES = ("torch", "stable-baselines3", "gymnasium", "numpy")


@cache
def code_versions() -> dict[str, str]:
    """What decides a run's numbers here: each plugin's version and a digest of its source, Python, and the libraries below."""
    found = {"Python": platform.python_version()}
    found |= {package: installed_version(package) or "not installed" for package in _PACKAGES}
    for plugin in installed().plugins:
        label = f"plugin {plugin.name!r}" if plugin.name else plugin.module
        found[label] = " ".join(filter(None, (plugin.distribution, plugin.version, _source_digest(plugin.module))))
    return found


def version_difference(expected: Mapping[str, str]) -> str:
    """What this machine has otherwise than another one, as a sentence; nothing if they agree.

    Args:
        expected: What `code_versions` returned there.
    """
    here = code_versions()
    parts = [
        f"{name} is {here.get(name, 'missing')} and not {expected.get(name, 'missing')}"
        for name in sorted(here.keys() | expected.keys())
        if here.get(name) != expected.get(name)
    ]
    if not parts:
        return ""
    more = f" (and {len(parts) - 3} more)" if len(parts) > 3 else ""
    return (
        f"{socket.gethostname()} has other code than the machine that started this: {'; '.join(parts[:3])}{more};"
        " install the same versions on every machine, or one environment on a shared disk"
    )


def _source_digest(module: str) -> str:
    """Eight hexadecimal digits of the Python files of a package, which versions of a checkout do not tell apart."""
    spec = find_spec(module.partition(".")[0])
    if spec is None or spec.origin is None:
        return ""
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = [file for folder in folders for file in folder.rglob("*.py")] or [Path(spec.origin)]
    digest = hashlib.sha256()
    for name, file in sorted((str(file.relative_to(folders[0])) if folders else file.name, file) for file in files):
        digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:8]
