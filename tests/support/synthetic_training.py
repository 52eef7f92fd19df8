"""Stands in for training: a run takes milliseconds and its score is a known function of its settings.

Everything around it is real: specs, run folders, claims, worker processes. The environment variable ``SYNTHETIC_SECONDS`` says
how long an evaluation takes. The best possible settings are `BEST`, which score 1 apart from the noise of the seed.
"""

from __future__ import annotations

import math
import os
import time

import numpy as np

from harness.runs.files import csv_text
from harness.runs.folder import RunFolder, RunRecord, RunStatus, now
from harness.runs.progress import RunProgress

BEST = {"config.learning_rate": 1e-3, "algorithm.gae_lambda": 0.9}

NOISE = 0.01


def true_score(spec) -> float:
    rate, trace = spec.reward.config["learning_rate"], spec.algorithm.config["gae_lambda"]
    return 1 - 0.5 * abs(math.log10(rate / BEST["config.learning_rate"])) - 5 * abs(trace - BEST["algorithm.gae_lambda"])


def train(spec, results, *, device="auto", report=None, fresh=False, stop=None):
    folder = RunFolder.of(spec, results)
    with folder.claim():
        if folder.record_file.exists() and (record := folder.read()).status.state == "finished":
            return record.status
        started = now()
        status = RunStatus(state="running", step=0, steps=spec.steps, started=started, updated=started)
        provenance = {"pid": os.getpid()}
        folder.write(
            RunRecord(digest=spec.digest, method_digest=spec.method_digest, spec=spec, provenance=provenance, status=status)
        )
        if spec.algorithm.config["clip_range"] == 0.3:
            raise ZeroDivisionError("of all things")
        score = true_score(spec) + NOISE * float(np.random.default_rng(spec.seed).normal())
        rows = [("step", "episode", "return", "length")]
        for step in range(spec.evaluation.every, spec.steps + 1, spec.evaluation.every):
            time.sleep(float(os.environ.get("SYNTHETIC_SECONDS", "0")))
            value = score * step / spec.steps
            rows += [(step, episode, value, 1) for episode in range(spec.evaluation.episodes)]
            folder.evaluations_file.write_text(csv_text(rows))
            if report:
                report(RunProgress(step, spec.steps, 100.0, value))
        return folder.set_state(
            "finished", step=spec.steps, seconds=1.0 + abs(math.log10(spec.reward.config["learning_rate"])), score=score
        ).status
