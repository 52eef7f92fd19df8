"""Synthetic run folders in the format that training writes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.runs.files import csv_text
from harness.runs.folder import FolderState, RunFolder, RunRecord, RunStatus
from harness.runs.plans import record_plan
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, Normalisation, RewardSpec, RunSpec

STEPS = 10_000
PROVENANCE = {
    "command": "harness run suites/synthetic.yaml",
    "harness": "0.1.0",
    "commit": "0123456789ab",
    "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
    "cpu": "A processor <with> brackets & such",
    "device": "cpu",
}


def make_spec(task: str, method: str, seed: int, **changes: Any) -> RunSpec:
    reward = None
    if method not in ("ppo", "none"):
        reward = RewardSpec(name=method, config={"eta": 1.0}, combine=Combination(**changes.pop("combine", {})))
    facts: dict[str, Any] = {
        "suite": "synthetic",
        "environment": EnvironmentSpec(family="lattice", config={"task": task}),
        "algorithm": AlgorithmSpec(name="ppo", config={"n_envs": 8}),
        "reward": reward,
        "steps": STEPS,
        "evaluation": EvaluationSpec(every=1000, episodes=2),
        "checkpoint_every": 1000,
        "normalise": Normalisation(low=0, high=10, source="the maker's word"),
    }
    return RunSpec(task=task, method=method, seed=seed, **(facts | changes))


def learning_curve(final: float, steps: Sequence[int], total: int = STEPS) -> dict[int, list[float]]:
    """Two episodes per evaluation whose mean rises to ``final``."""
    scale = 1 - math.exp(-4)
    return {step: [final * (1 - math.exp(-4 * step / total)) / scale + noise for noise in (-0.25, 0.25)] for step in steps}


def write_run(
    results: Path,
    task: str,
    method: str,
    seed: int,
    score: float = 1.0,
    *,
    state: FolderState = "finished",
    steps: Sequence[int] = range(1000, STEPS + 1, 1000),
    updated: str = "2026-11-21T12:00:00+00:00",
    error: str | None = None,
    curve: Mapping[int, Sequence[float]] | None = None,
    metrics: Mapping[str, float] | None = None,
    provenance: Mapping[str, Any] = PROVENANCE,
    budget: int = STEPS,
    **changes: Any,
) -> RunFolder:
    """One run folder, evaluated at ``steps`` of its ``budget``; ``changes`` go to `make_spec`."""
    spec = make_spec(task, method, seed, steps=budget, **changes)
    folder = RunFolder.of(spec, results)
    folder.path.mkdir(parents=True, exist_ok=True)
    curve = learning_curve(score, steps, budget) if curve is None else curve
    metrics = {"success": 1.0} if metrics is None else metrics
    status = RunStatus(
        state=state,
        step=max(curve, default=0),
        steps=spec.steps,
        started="2026-11-20T09:00:00+00:00",
        updated=updated,
        seconds=100.0,
        steps_per_second=100.0,
        error=error,
    )
    digests = {"digest": spec.digest, "method_digest": spec.method_digest}
    folder.write(RunRecord(spec=spec, **digests, provenance=dict(provenance), status=status))
    episodes = [(step, i, value) for step, values in curve.items() for i, value in enumerate(values)]
    rows = [(*episode, 100, *metrics.values()) for episode in episodes]
    folder.evaluations_file.write_text(csv_text([("step", "episode", "return", "length", *metrics), *rows]))
    return folder


def write_suite(
    results: Path,
    methods: Mapping[str, float],
    tasks: Sequence[str] = ("north", "south"),
    seeds: int = 5,
    spread: float = 1.0,
    **changes: Any,
) -> Path:
    """Methods with these mean scores, over tasks and seeds, as one plan asked for them; returns ``results``."""
    random = np.random.default_rng(0)
    runs: list[RunFolder] = []
    for task in tasks:
        for method, level in methods.items():
            for seed in range(seeds):
                runs.append(write_run(results, task, method, seed, level + spread * random.normal(), **changes))
    record_plan([run.read().spec for run in runs], results)
    return results


def write_finished(spec: RunSpec, results: Path, score: float = 0.5) -> RunFolder:
    """The folder of a run of some plan as training leaves it, without the training."""
    folder = RunFolder.of(spec, results)
    folder.path.mkdir(parents=True)
    now = "2026-11-20T09:00:00+00:00"
    status = RunStatus(state="finished", step=spec.steps, steps=spec.steps, started=now, updated=now)
    folder.write(RunRecord(spec=spec, digest=spec.digest, method_digest=spec.method_digest, provenance={}, status=status))
    folder.evaluations_file.write_text(csv_text([("step", "episode", "return", "length"), (spec.steps, 0, score, 5)]))
    return folder
