"""A run with a bonus on images of cells, whose smallest axis is not the channels', is resumed to the same bytes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from support.specs import make_spec

from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.progress import RunProgress
from harness.spec import RunSpec
from harness.training import run as run_module
from harness.training.run import train

RND = {
    "convolutions": "raileanu2020",
    "observation_normalisation": "none",
    "warm_up_steps": 0,
    "feature_dim": 16,
    "hidden": [16],
    "minibatches": 2,
    "minibatch_order": "shuffled",
}


def spec_of(engine: str) -> RunSpec:
    return make_spec(
        family="minigrid",
        environment={"task": "DoorKey-5x5", "engine": engine, "episode_steps": 30},
        algorithm={"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 1, "network": "minigrid"},
        reward="rnd",
        config=RND,
        steps=384,
        evaluate_every=192,
        checkpoint_every=64,
    )


class Killed(Exception):
    """Stands for a kill."""


def content(spec: RunSpec, results: Path) -> tuple[list, bytes]:
    """Tables without times, and the checkpoint's tensors."""
    folder = RunFolder.of(spec, results)
    tables = []
    for file in (folder.progress_file, folder.evaluations_file):
        rows = read_csv_rows(file)[1]
        assert rows
        tables.append([{key: value for key, value in row.items() if not key.startswith("time/")} for row in rows])
    (checkpoint,) = folder.checkpoint.glob("step-*")
    return tables, (checkpoint / "tensors.safetensors").read_bytes()


@pytest.mark.parametrize("engine", ["envpool", "minigrid"])
def test_killed_and_resumed_is_byte_equal_to_unbroken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str):
    monkeypatch.setattr(run_module, "REPORT_SECONDS", 0.0)
    spec, kills = spec_of(engine), [50, 150, 155, 300]
    train(spec, tmp_path / "whole")

    def report(progress: RunProgress) -> None:
        if kills and progress.step >= kills[0]:
            del kills[0]
            raise Killed

    attempts = 0
    while attempts == 0 or RunFolder.of(spec, tmp_path / "broken").read().status.state != "finished":
        attempts += 1
        with suppress(Killed):
            train(spec, tmp_path / "broken", report=report)
    assert attempts == 5
    assert content(spec, tmp_path / "whole") == content(spec, tmp_path / "broken")
