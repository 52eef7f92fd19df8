"""Replay buffers that would not fit are refused before anything starts, with what would."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from support.off_policy import make_spec, registry, use_registry

from harness.errors import UserError
from harness.execution import replay_memory as replay
from harness.execution.capacity import MIN_WORKER_MEMORY_BYTES
from harness.execution.replay_memory import workers_that_fit
from harness.training.estimate import estimate, replay_bytes

GIB = 1 << 30


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four cores, ten GiB of memory, twenty of disk."""
    monkeypatch.setattr("harness.execution.capacity.cores", lambda: 4)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10 * GIB))
    monkeypatch.setattr(replay.shutil, "disk_usage", lambda path: SimpleNamespace(free=20 * GIB))


SPECS = [make_spec(seed=seed) for seed in range(6)]


def test_what_fits_is_left_as_it_is(tmp_path):
    assert workers_that_fit(SPECS, tmp_path, None, lambda spec: GIB) is None
    assert workers_that_fit(SPECS, tmp_path, 5, lambda spec: GIB) == 5


def test_the_default_number_of_workers_is_lowered(tmp_path):
    assert workers_that_fit(SPECS, tmp_path, None, lambda spec: 4 * GIB) == 2
    assert workers_that_fit(SPECS[:1], tmp_path, None, lambda spec: 4 * GIB) is None


def test_too_many_workers_are_refused_with_the_number_that_fits(tmp_path):
    with pytest.raises(UserError, match=r"takes 4\.0 GiB of memory, and only 2 of 3 would fit; use --workers 2"):
        workers_that_fit(SPECS, tmp_path, 3, lambda spec: 4 * GIB)


def test_a_buffer_that_no_memory_holds_is_refused_with_one_that_fits(tmp_path):
    spec = make_spec(algorithm={"buffer_size": 1_000_000})
    assert MIN_WORKER_MEMORY_BYTES == GIB
    with pytest.raises(UserError, match=r"task/none/seed-0: .* 20\.0 GiB .* --set algorithm.buffer_size=400000$"):
        workers_that_fit([spec], tmp_path, None, lambda spec: 20 * GIB)


def test_a_disk_that_is_too_small_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(replay.shutil, "disk_usage", lambda path: SimpleNamespace(free=7 * GIB))
    with pytest.raises(UserError, match=r"on the disk too, and .*missing has 7\.0 GiB left for 2 at a time; use fewer"):
        workers_that_fit(SPECS, tmp_path / "missing", None, lambda spec: 4 * GIB)


def test_on_policy_runs_are_not_asked(tmp_path):
    on_policy = make_spec().model_copy(update={"algorithm": make_spec().algorithm.model_copy(update={"config": {}})})
    assert workers_that_fit([on_policy], tmp_path, 7, lambda spec: 1 / 0) == 7  # type: ignore[arg-type, return-value]


def test_each_kind_of_run_is_asked_once(tmp_path):
    asked = []
    kinds = [*SPECS, make_spec(environment={"pixels": True})]
    workers_that_fit(kinds, tmp_path, None, lambda spec: asked.append(spec) or GIB)
    assert len(asked) == 2


@pytest.mark.parametrize("pixels", [False, True])
def test_the_size_is_that_of_the_buffers_arrays(pixels: bool, tmp_path: Path) -> None:
    spec = make_spec(environment={"pixels": pixels}, algorithm={"buffer_size": 3000})
    new_frame, places = 36 * 36, (3 + 3 + 1) * 4  # of stacks of three: where their frames are, and how often one is used
    observations = new_frame + places if pixels else 2 * 2 * 4
    assert replay_bytes(spec, registry()) == 3000 * (observations + 2 * 4 + 3 * 4)


def test_the_forecast_counts_a_full_buffer(monkeypatch):
    use_registry(monkeypatch)
    small, large = (
        estimate(make_spec(reward="encoding", algorithm={"buffer_size": size, "log_every": 7}), "cpu")
        for size in (1000, 100_000_000)
    )
    assert small.replay_bytes == 1000 * 36
    assert large.replay_bytes == 100_000_000 * 36
    assert large.memory_bytes > large.replay_bytes
    assert large.memory_bytes - small.memory_bytes == pytest.approx(large.replay_bytes, rel=0.05)
    assert small.steps_per_second > 0
