"""Bundles of small results that were really trained, and forgeries of them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from harness.bundles.manifest import Manifest, Member
from harness.bundles.packing import pack
from harness.execution.attempt import attempt
from harness.planning.load import load
from harness.planning.recorded import record_suite
from harness.runs.plans import record_plan

SUITE = """
suite: small
environment: {family: deep_sea}
tasks:
  n4: {environment: {size: 4}, normalise: {low: 0, high: 1}}
algorithm: {name: ppo, n_envs: 2, n_steps: 16, batch_size: 16, n_epochs: 1}
methods:
  ppo: {}
seeds: 4
steps: 64
evaluation: {every: 32, episodes: 2}
"""


def train_small(place: Path) -> Path:
    """Train the suite in this process, and return its folder of results."""
    file = place / "small.yaml"
    file.write_text(SUITE)
    plan, results = load(file), place / "results"
    record_suite(plan, results)
    record_plan(plan.runs, results)
    for spec in plan.runs:
        outcome = attempt(spec, results, device="cpu", report=None)
        assert outcome.ending == "finished", outcome
    return results / "small"


def forged(results: Path, place: Path, change: Callable[[Path], object]) -> Path:
    """A bundle of a copy that was changed before it was packed: every checksum in it is right."""
    copy = place / "small"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(results, copy)
    change(copy)
    return pack(copy, place / "forged.zip").file


def run_of(results: Path, seed: int) -> Path:
    """The folder of a run."""
    (found,) = results.glob(f"n4/ppo-*/seed-{seed}")
    return found


def edit_record(run: Path, **status: object) -> None:
    """Change the status in a record."""
    record = json.loads((run / "run.json").read_text())
    record["status"] |= status
    (run / "run.json").write_text(json.dumps(record, indent=2) + "\n")


def members(file: Path) -> dict[str, bytes]:
    """Everything in a bundle, by name."""
    with zipfile.ZipFile(file) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def write_zip(file: Path, content: Mapping[str, bytes], infos: Mapping[str, zipfile.ZipInfo] | None = None) -> Path:
    """A zip file of any members, of which some have entries of their own."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in content.items():
            bundle.writestr((infos or {}).get(name, name), data)
    return file


def with_manifest(content: Mapping[str, bytes], name: str = "small") -> dict[str, bytes]:
    """Members after a manifest that is right about all of them."""
    data = {key: value for key, value in content.items() if key != "bundle.json"}
    manifest = Manifest(harness="1", name=name, members={key: Member.of(value) for key, value in data.items()})
    return {"bundle.json": manifest.to_bytes(), **data}


def files_below(folder: Path) -> Iterator[str]:
    """Every file at or below a folder, by its path there."""
    yield from sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
