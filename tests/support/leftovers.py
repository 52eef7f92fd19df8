"""Folders as finished runs of a small suite leave them, without the training."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from harness.planning.load import load
from harness.runs.files import csv_text
from harness.runs.folder import RunFolder, RunRecord, RunStatus
from harness.runs.plans import record_plan
from harness.spec import RunSpec

SUITE = """
suite: small
environment: {family: deep_sea}
tasks:
  n4: {environment: {size: 4}, normalise: {low: 0, high: 1}}
  n5: {environment: {size: 5}, normalise: {low: 0, high: 1}}
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods:
  ppo: {}
  rnd: {reward: rnd, config: {warm_up_steps: 8, feature_dim: 16, hidden: [16]}}
seeds: 2
steps: 256
evaluation: {every: 128, episodes: 2}
"""

RESULTS = Path("results")

_CAPABILITIES_VERSION, _DAC_OVERRIDE, _DAC_READ_SEARCH = 0x20080522, 1 << 1, 1 << 2
"""Of Linux's ``capset``."""


def leave(spec: RunSpec, results: Path = RESULTS, *, score: float = 0.5, state: str = "finished", **status) -> RunFolder:
    """The folder of a run that has two evaluations, with the mean ``score`` in the last one."""
    folder = RunFolder.of(spec, results)
    folder.path.mkdir(parents=True)
    facts = {
        "started": "2026-11-20T09:00:00+00:00",
        "updated": "2026-11-20T10:00:00+00:00",
        "step": spec.steps,
        "seconds": 2.0,
    }
    record = RunStatus(state=state, steps=spec.steps, **(facts | status))
    digests = {"digest": spec.digest, "method_digest": spec.method_digest}
    folder.write(RunRecord(spec=spec, **digests, provenance={"command": "harness run small.yaml"}, status=record))
    rows = [(step, i, value + noise, 9) for step, value in ((128, 0.1), (256, score)) for i, noise in enumerate((-0.1, 0.1))]
    folder.evaluations_file.write_text(csv_text([("step", "episode", "return", "length"), *rows]))
    logged = [("time/total_timesteps", "time/fps", "rollout/ep_rew_mean"), (128, 64, 0.1), (256, 64, score)]
    folder.progress_file.write_text(csv_text(logged))
    return folder


def leave_all(file: str = "small.yaml", **how) -> list[RunFolder]:
    """The folders of all runs of a suite, each with another score, and the plan that asked for them."""
    runs = load(file).runs
    record_plan(runs, RESULTS)
    return [leave(spec, score=(i + 1) / 10, **how) for i, spec in enumerate(runs)]


@contextmanager
def as_everybody() -> Generator[None]:
    """Without the superuser's right to read and write whatever it likes, which tests may have; for this thread alone."""
    if os.geteuid() != 0:
        yield
        return
    system = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0), (ctypes.c_uint32 * 6)()
    assert system.capget(header, before) == 0
    effective, *others = before
    assert system.capset(header, (ctypes.c_uint32 * 6)(effective & ~_DAC_OVERRIDE & ~_DAC_READ_SEARCH, *others)) == 0
    try:
        yield
    finally:
        assert system.capset(header, before) == 0
