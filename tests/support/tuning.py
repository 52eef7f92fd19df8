"""A small suite, and studies of it whose runs take milliseconds; importable by the processes that tests start."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from harness.execution.session import WorkerSession
from harness.execution.worker_pool import WorkerPool
from harness.planning.load import Plan, load
from harness.tuning.storage import StorageHandle, open_storage
from harness.tuning.study import Limit, StudyDefinition, TuningStudy
from harness.tuning.tuner import Budget, tune
from support.in_process import InProcess

TESTS = Path(__file__).parents[1]
TRAIN = "support.synthetic_training:train"

SUITE = """
suite: toy
environment: {family: deep_sea}
tasks:
  n4: {environment: {size: 4}, normalise: {low: 0, high: 1}}
  n5: {environment: {size: 5}, normalise: {low: 0, high: 1}}
algorithm: {name: ppo, n_envs: 4, n_steps: 16, batch_size: 32}
methods:
  ppo: {}
  rnd: {reward: rnd, combine: sum}
seeds: 2
steps: 300
evaluation: {every: 100, episodes: 2}
tune:
  seeds: 2
  parameters: [config.learning_rate, algorithm.gae_lambda]
"""


@dataclass
class SuiteFolder:
    """A folder with the suite in it."""

    folder: Path
    open: list[StorageHandle] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def plan(self, *overrides: str) -> Plan:
        return load(self.folder / "toy.yaml", overrides=[tuple(text.split("=", 1)) for text in overrides])

    def study(self, *overrides: str, storage: str | None = None, name: str = "toy-rnd", **options) -> TuningStudy:
        definition = StudyDefinition.from_plan(self.plan(*overrides), "rnd", name)
        handle = open_storage(storage, self.folder / "journal.log", **options)
        self.open.append(handle)
        return TuningStudy(definition, handle)

    def workers(self) -> WorkerSession:
        """Training that takes milliseconds, in this process."""
        return InProcess(self.results, TRAIN)

    def processes(self) -> WorkerSession:
        """The same in processes, as a study outside of tests has it."""
        return WorkerPool(self.results, train=TRAIN)

    def close(self) -> None:
        for handle in self.open:
            handle.close()

    def tune(self, study: TuningStudy, trials: int, **options):
        return tune(study, self.results, self.workers(), budget=Budget(Limit(trials)), **options)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TESTS), **more}


def rows(study: TuningStudy) -> list[tuple[int, str, tuple[float, ...] | None, dict[str, object]]]:
    """What a study holds, times aside."""
    return [(t.number, t.state.name, t.values and tuple(t.values), dict(t.params)) for t in study.trials()]
