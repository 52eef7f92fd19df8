"""What a trial costs beyond its runs: asking for settings, reporting every evaluation, and telling how it ended.

    python benchmarks/tuning_overhead.py --finished 1000

Fills a study with finished trials of random scores, then takes more of them without any run: the settings are those of RND on
PPO, the reports those of 9 runs with 6 evaluations each. Times are of this process's
processor, which a busy machine does not change, and of the clock.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState

from harness.planning.load import load
from harness.tuning.record import write_study_record
from harness.tuning.samplers import distribution
from harness.tuning.storage import open_storage
from harness.tuning.study import Limit, StudyDefinition, TuningStudy

SUITE = Path(__file__).parents[1] / "suites" / "quick.yaml"


def fill(study: TuningStudy, trials: int, rng: np.random.Generator) -> None:
    """Add finished trials with random settings and scores."""
    space = {parameter.name: distribution(parameter) for parameter in study.definition.space.parameters}
    sampler = optuna.samplers.RandomSampler(seed=0)
    for number in range(trials):
        params = {name: sampler.sample_independent(study.optuna_study, None, name, found) for name, found in space.items()}
        scores = np.sort(rng.normal(size=study.evaluation_order.total))
        study.optuna_study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions=space,
                value=float(scores[-1]),
                intermediate_values=dict(enumerate(scores.tolist())),
                user_attrs={"runs": 9, "steps": 1, "seconds": 1.0, "number": number},
            )
        )


def one_trial(study: TuningStudy, rng: np.random.Generator) -> dict[str, float]:
    """Seconds of each part of a trial's life."""
    clock, start = time.perf_counter(), time.process_time()
    claimed = study.ask(Limit())
    assert claimed is not None
    study.definition.specs(claimed.values)
    asking = time.process_time()
    for position in range(study.evaluation_order.total):
        claimed.trial.report(float(rng.normal()), position)
        claimed.trial.should_prune()
    reporting = time.process_time()
    study.tell(claimed.trial, [float(rng.normal())], TrialState.COMPLETE, {"runs": 9, "steps": 1, "seconds": 1.0})
    study.best_trial()
    telling = time.process_time()
    parts = {"ask": asking - start, "report": reporting - asking, "tell": telling - reporting, "trial": telling - start}
    return parts | {"on the clock": time.perf_counter() - clock}


def main() -> int:
    """Measure and print; exits with 1 if the median trial takes a second or more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finished", type=int, default=1000, help="trials before those that are timed (default 1000)")
    parser.add_argument("--trials", type=int, default=10, help="trials that are timed (default 10)")
    parser.add_argument("--sampler", default="tpe")
    parser.add_argument("--pruner", default="median")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    overrides = [("tune.parameters", "null"), ("tune.seeds", "3")]
    overrides += [("tune.sampler", arguments.sampler), ("tune.pruner", arguments.pruner)]
    plan = load(SUITE, overrides=overrides)
    with tempfile.TemporaryDirectory() as folder:
        definition = StudyDefinition.from_plan(plan, "ppo_rnd", "overhead")
        study = TuningStudy(definition, open_storage(None, Path(folder) / "journal.log"))
        fill(study, arguments.finished, rng)
        start = time.process_time()
        study = TuningStudy(definition, open_storage(None, Path(folder) / "journal.log"))
        opening = time.process_time() - start
        timed = [one_trial(study, rng) for _ in range(arguments.trials)]
        start = time.process_time()
        write_study_record(study, Path(folder))
        recording = time.process_time() - start
    medians = {name: statistics.median(trial[name] for trial in timed) for name in timed[0]}
    worst = max(trial["trial"] for trial in timed)
    print(
        f"{arguments.finished} finished trials, {len(definition.space.parameters)} settings,"
        f" {study.evaluation_order.total} reports a trial, sampler {arguments.sampler}, pruner {arguments.pruner}"
    )
    print("  ".join(f"{name} {seconds:.3f} s" for name, seconds in medians.items()) + f"  (medians; slowest {worst:.3f} s)")
    print(f"opening the study {opening:.2f} s, writing study.json {recording:.2f} s (now and then)")
    return 0 if medians["trial"] < 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
