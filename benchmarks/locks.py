"""Writes the locks: the whole tested set for PyTorch's build without CUDA, and for the one with it.

    python benchmarks/locks.py                 # writes constraints.txt and constraints-cuda.txt
    python benchmarks/locks.py --check         # exit code 1 if constraints.txt is not what is installed

The first is what is installed here of all that `exploration-harness[all,dev]` needs. The second differs in what PyTorch's
CUDA build needs besides, which pip is asked for and nothing of which is installed or downloaded whole. No file names an index.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CPU, CUDA = ROOT / "constraints.txt", ROOT / "constraints-cuda.txt"
PROJECT, EXTRAS = "exploration-harness", ("all", "dev")
_NOT_PINNED = {"pip", "setuptools", "wheel", PROJECT}
_CPU_HEAD = """\
# The whole tested set, pinned. pip install -c constraints.txt -e '.[all]' takes exactly these versions.
# Odd pins: pandas<3, since rliable's arch<8 does not import with pandas 3; torch without a local version, so that pip takes
# the build that the index offers: PyPI's needs CUDA's libraries, which constraints-cuda.txt pins, and
# --index-url https://download.pytorch.org/whl/cpu has one without them; mujoco<4, which dm_control 1.0.50 does not run with.
# Written by python benchmarks/locks.py
"""
_CUDA_HEAD = """\
# The whole tested set as constraints.txt has it, and what PyTorch's CUDA build for Linux needs besides.
# pip install -c constraints-cuda.txt -e '.[all]'
# Written by python benchmarks/locks.py
"""


def installed_set() -> dict[str, str]:
    """Versions of what is installed here of all that the extras need, by the name that its package gives itself."""
    found: dict[str, str] = {}
    left, seen = [(PROJECT, frozenset(EXTRAS))], set[tuple[str, frozenset[str]]]()
    while left:
        name, extras = key = left.pop()
        if key in seen:
            continue
        seen.add(key)
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            raise SystemExit(f"{name} is not installed: pip install -e '.[{','.join(EXTRAS)}]'") from None
        if canonicalize_name(name) not in _NOT_PINNED:
            found[package.name] = package.version.partition("+")[0]
        left += list(_needed(package, extras))
    return found


def _pinned_besides(tested: Mapping[str, str]) -> dict[str, str]:
    """What constraints.txt pins that nothing needs and much uses where it is there, such as PyArrow."""
    known, found = {canonicalize_name(name) for name in tested}, dict[str, str]()
    for line in CPU.read_text().splitlines():
        name, _, pinned = line.partition("==")
        if not line.startswith("#") and canonicalize_name(name) not in known:
            try:
                found[name] = metadata.version(name).partition("+")[0]
            except metadata.PackageNotFoundError:
                found[name] = pinned  # it is tested where somebody has it
    return found


def _needed(package: metadata.Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for text in package.requires or ():
        requirement = Requirement(text)
        environments = [{"extra": extra} for extra in (extras or {""})]
        if requirement.marker is None or any(requirement.marker.evaluate(one) for one in environments):
            yield requirement.name, frozenset(requirement.extras)


def cuda_set(torch: str) -> dict[str, str]:
    """Versions of PyTorch's CUDA build and of all that it needs, as pip would install them now.

    Args:
        torch: Version of PyTorch; ``===`` takes no build with a local version, such as ``+cpu``.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--use-feature=fast-deps", "--dry-run"]
        command += ["--ignore-installed", "-c", str(_without_torch(Path(folder))), "--report", str(report), f"torch==={torch}"]
        subprocess.run(command, check=True)
        found = json.loads(report.read_text())["install"]
    return {each["metadata"]["name"]: each["metadata"]["version"] for each in found}


def _without_torch(folder: Path) -> Path:
    """The tested set as constraints, apart from PyTorch itself."""
    file = folder / "constraints.txt"
    file.write_text("".join(line for line in CPU.read_text().splitlines(keepends=True) if not line.startswith("torch==")))
    return file


def lock_text(head: str, versions: Mapping[str, str]) -> str:
    """A lock."""
    lines = sorted((f"{name}=={version}" for name, version in versions.items()), key=str.lower)
    return head + "\n".join(lines) + "\n"


def main() -> int:
    """Write the locks, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, and compare constraints.txt with what is installed"
    )
    tested = installed_set()
    tested |= _pinned_besides(tested)
    text = lock_text(_CPU_HEAD, tested)
    if parser.parse_args().check:
        if CPU.read_text() == text:
            return 0
        print(f"{CPU.name} is not what is installed here: python benchmarks/locks.py writes it anew")
        return 1
    CPU.write_text(text)
    known = {canonicalize_name(name) for name in tested} | _NOT_PINNED
    more = {name: version for name, version in cuda_set(tested["torch"]).items() if canonicalize_name(name) not in known}
    CUDA.write_text(lock_text(_CUDA_HEAD, tested | more))
    print(f"{CPU.name}: {len(tested)} packages; {CUDA.name}: {len(more)} more: {', '.join(sorted(more))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
