"""Whether the newest releases of all dependencies still work: to be run now and then, such as every week.

    python benchmarks/newest.py                     # the newest releases that pyproject.toml allows, all at once
    python benchmarks/newest.py --beyond            # then also what lies beyond its ranges, one dependency at a time
    python benchmarks/newest.py --extras all dev    # more than the core and these defaults

A fresh environment is made in a folder of its own, the harness is installed into it from this checkout, and a short selection
of tests is run. What fails there is put down to single dependencies: one after the other goes back to the version of
constraints.txt, and whatever mends the tests is named. The environment is deleted at the end. The exit code is 0 if the newest
releases that the ranges allow work; what lies beyond them is only told.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = (
    "tests/test_spec.py",
    "tests/registry",
    "tests/suites/test_schema.py",
    "tests/training/test_logs.py",
    "tests/training/test_run.py::test_a_finished_run_is_left_alone_unless_fresh",
    "tests/training/test_run.py::test_record_and_files_of_a_run",
    "tests/analysis/test_statistics.py",
    "tests/tuning/test_space.py",
)
"""What is run by default: it trains, analyses and validates within a minute or two."""

EXTRAS = ("atari", "classic_control", "cmaes", "sb3_contrib", "watch")
"""Extras that are installed by default: what those tests need, and little else."""

_TEST_TOOLS = ("pytest", "hypothesis", "jsonschema")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def normal(name: str) -> str:
    """A name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Dependency:
    """A dependency as pyproject.toml has it.

    Attributes:
        requirement: Requirement with its range and marker.
        name: Normalised name.
    """

    requirement: str
    name: str

    @property
    def without_bounds(self) -> str:
        """The requirement without its range, so that the newest release of all is taken."""
        head, semicolon, marker = self.requirement.partition(";")
        extras = re.search(r"\[[^]]*\]", head)
        return f"{self.name}{extras[0] if extras else ''}{semicolon}{marker}"


def dependencies(extras: Sequence[str]) -> list[Dependency]:
    """The direct dependencies of the core and of some extras, each once."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]

    def requirements(found: Sequence[str]) -> Iterator[str]:
        for requirement in found:
            own = re.fullmatch(rf"{project['name']}\[([^]]*)\]", requirement)
            if own is None:
                yield requirement
            else:
                for extra in own[1].split(","):
                    yield from requirements(optional[extra.strip()])

    asked = [*project["dependencies"], *(each for extra in extras for each in optional[extra])]
    names = {text: normal(_NAME.match(text)[0]) for text in requirements(asked)}  # type: ignore[index]  # it begins with a name
    return [Dependency(text, name) for text, name in names.items()]


def pins() -> dict[str, str]:
    """The tested versions, by normalised name."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines if line)}


class Environment:
    """A fresh environment.

    Args:
        folder: Folder of the environment, which is made anew.
    """

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        self._python = str(folder / "bin" / "python")

    def pip(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run pip, without files of modules that nobody may import."""
        command = [self._python, "-m", "pip", "--disable-pip-version-check", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise SystemExit(f"pip {' '.join(arguments)[:300]}\n{done.stderr[-3000:]}")
        return done

    def install(self, *requirements: str, check: bool = True) -> bool:
        """Install or change packages, and say whether that worked."""
        return not self.pip("install", "--quiet", "--no-compile", "--upgrade", *requirements, check=check).returncode

    def versions(self) -> dict[str, str]:
        """What is installed, by normalised name."""
        found = json.loads(self.pip("list", "--format", "json").stdout)
        return {normal(each["name"]): each["version"] for each in found}

    def outdated(self) -> dict[str, str]:
        """Newest releases of what is not the newest, by normalised name."""
        found = json.loads(self.pip("list", "--outdated", "--format", "json").stdout)
        return {normal(each["name"]): each["latest_version"] for each in found}

    def test(self, tests: Sequence[str]) -> str:
        """Run tests; the last line of what they say if they fail, else nothing."""
        command = [self._python, "-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider", *tests]
        given = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=given, check=False)
        if not done.returncode:
            return ""
        lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))]
        return " | ".join(lines[:3])[:500] or (done.stdout + done.stderr).strip()[-500:] or f"exit code {done.returncode}"


def main() -> int:
    """Try the newest releases and print what breaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", nargs="*", default=list(EXTRAS), help="besides the core")
    parser.add_argument("--beyond", action="store_true", help="also try releases that the ranges exclude")
    parser.add_argument("--folder", type=Path, help="where the environment is made; a temporary folder if not given")
    parser.add_argument("tests", nargs="*", default=list(TESTS), help="what is run")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="newest-"))
    try:
        return _try_all(Environment(folder), dependencies(options.extras), options.tests, beyond=options.beyond)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _try_all(environment: Environment, wanted: Sequence[Dependency], tests: Sequence[str], *, beyond: bool) -> int:
    tools = [each.requirement for each in dependencies(["dev"]) if each.name.startswith(_TEST_TOOLS)]
    environment.install("pip", "setuptools", *(each.requirement for each in wanted), *tools)
    environment.install("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    found, tested = environment.versions(), pins()
    changed = {name: version for name, version in found.items() if tested.get(name, version) != version.partition("+")[0]}
    for name, version in sorted(changed.items()):
        print(f"{name}: {version}, tested with {tested[name]}", flush=True)
    failure = environment.test(tests)
    print(f"newest releases within the ranges: {failure or 'all tests pass'}", flush=True)
    if failure:
        for name in sorted(changed):
            environment.install(f"{name}=={tested[name]}", "--no-deps", check=False)
            mended = not environment.test(tests)
            print(f"{name} back at {tested[name]}: {'mends it' if mended else 'no difference'}", flush=True)
            environment.install(f"{name}=={changed[name]}", "--no-deps", check=False)
        return 1
    if beyond:
        _try_beyond(environment, wanted, tests)
    return 0


def _try_beyond(environment: Environment, wanted: Sequence[Dependency], tests: Sequence[str]) -> None:
    outdated, before = environment.outdated(), environment.versions()
    for each in wanted:
        if each.name not in outdated:
            continue
        if not environment.install(each.without_bounds, check=False):
            print(f"{each.name} {outdated[each.name]}, beyond {each.requirement!r}: cannot be installed beside the others")
            continue
        failure = environment.test(tests)
        print(f"{each.name} {outdated[each.name]}, beyond {each.requirement!r}: {failure or 'all tests pass'}", flush=True)
        now = environment.versions()
        back = [f"{name}=={version}" for name, version in before.items() if now.get(name) != version]
        environment.install("--no-deps", *back, check=False)


if __name__ == "__main__":
    sys.exit(main())
