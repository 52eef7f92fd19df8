"""The harness as strangers install it: a source distribution, the wheel made from it, and nothing of the checkout."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from harness import __version__

pytestmark = pytest.mark.slow  # it builds twice, installs twice and trains once

ROOT = Path(__file__).parents[2]
BUILD_SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
SUITES = {file.stem for file in (ROOT / "suites").glob("*.yaml")}


def call(*command: object, folder: Path, **variables: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | variables
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(*arguments: object, folder: Path) -> None:
    call(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, folder=folder)


def git(folder: Path, *arguments: str) -> str:
    return call("git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments, folder=folder)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit: what git would take from this checkout."""
    source = tmp_path_factory.mktemp("source")
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in files.decode().split():
        if name.startswith(("tests/", "docs/", "benchmarks/", "examples/")) or not os.path.lexists(ROOT / name):
            continue
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name, follow_symlinks=False)
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message", "All of it")
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the source distribution of that."""
    built = tmp_path_factory.mktemp("built")
    call(sys.executable, "-c", BUILD_SDIST, built, folder=source)
    (sdist,) = built.glob("*.tar.gz")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", built, sdist, folder=built)
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def harness(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a new environment with the wheel, and with this environment's other packages."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = place.glob("lib/python*/site-packages")
    others = [path for path in sys.path if "site-packages" in path and path not in (site.getusersitepackages(),)]
    (packages / "others.pth").write_text("\n".join(others) + "\n")
    pip("--python", place / "bin" / "python", "install", "--no-deps", "--no-index", "--no-compile", wheel, folder=place)
    return place / "bin" / "harness"


def suites(output: str) -> set[str]:
    found = json.loads(output)["suites"]
    assert not [suite["problem"] for suite in found if suite["problem"]]
    assert any(suite["hours"] for suite in found)  # the table of measured speeds is there
    return {suite["name"] for suite in found}


def test_fault_a_wheel_in_an_empty_folder_knows_its_suites_and_runs_them(harness: Path, tmp_path: Path) -> None:
    assert suites(call(harness, "list", "suites", "--json", folder=tmp_path)) == SUITES
    assert call(harness, "check", "minigrid", "--kind", "suite", "--no-build", folder=tmp_path).startswith("minigrid: good")
    assert str(ROOT) not in call(harness, "check", "quick", "--no-build", "--json", folder=tmp_path)
    call(harness, "new-suite", "quick", "mine", folder=tmp_path)
    only = ("--profile", "smoke", "--task", "n10", "--method", "ppo", "--workers", "1", "--no-report")
    call(harness, "run", "mine.yaml", *only, folder=tmp_path, OMP_NUM_THREADS="1")
    (record,) = (tmp_path / "results" / "mine" / "n10").rglob("run.json")
    assert json.loads(record.read_text())["status"]["state"] == "finished"
    call(harness, "report", "results", "--published", folder=tmp_path)


def test_fault_a_wheel_names_the_commit_that_it_was_built_from(
    harness: Path, wheel: Path, source: Path, tmp_path: Path
) -> None:
    told = f"harness {__version__} (commit {git(source, 'rev-parse', 'HEAD')[:12]})\n"
    assert call(harness, "--version", folder=tmp_path) == told
    assert call(sys.executable, "-m", "harness", "--version", folder=tmp_path, PYTHONPATH=str(wheel)) == told


def test_installed_into_a_folder_it_knows_its_suites(wheel: Path, tmp_path: Path) -> None:
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", tmp_path / "target", wheel, folder=tmp_path)
    listed = call(
        sys.executable, "-m", "harness", "list", "suites", "--json", folder=tmp_path, PYTHONPATH=str(tmp_path / "target")
    )
    assert suites(listed) == SUITES
    assert str(tmp_path / "target" / "harness" / "packaged") in listed


def test_out_of_an_archive_it_knows_its_suites(wheel: Path, tmp_path: Path) -> None:
    """A wheel is a zip archive, which Python imports from."""
    archived = {"PYTHONPATH": str(wheel)}
    assert suites(call(sys.executable, "-m", "harness", "list", "suites", "--json", folder=tmp_path, **archived)) == SUITES
    where = call(sys.executable, "-c", "import harness; print(harness.__file__)", folder=tmp_path, **archived)
    assert where.startswith(str(wheel))
    code = "from harness.analysis.coverage import read_table\nfrom harness.analysis.published import packaged_files\n"
    code += "from harness.runs.remembered import remembering\nassert len(read_table()) > 10 and len(packaged_files()) > 5\n"
    call(sys.executable, "-c", code, folder=tmp_path, **archived)
    call(sys.executable, "-m", "harness", "new-plugin", "mine", folder=tmp_path, **archived)


def test_what_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        text = archive.read(metadata).decode()
    assert "\nLicense-Expression: MIT\n" in text
    assert any(name.endswith("licenses/LICENSE") for name in names)
    tops = {name.partition("/")[0] for name in names}
    assert not [top for top in tops if not top.startswith(("harness", "exploration_harness"))]
    assert "harness/packaged/published/snd.csv" in names
