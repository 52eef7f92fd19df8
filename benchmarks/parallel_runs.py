"""Whether k one-thread runs on k cores are as fast as k times one run: throughput and cost per step, as ratios.

    python benchmarks/parallel_runs.py
    python benchmarks/parallel_runs.py suites/atari_hard.yaml --profile smoke --method rnd --task gravitar --cores 2

Runs of one suite are trained by the workers of ``harness run``, one alone and k at a time, in turns. What comes before
a run's first report and after its last does not count, so that loading is left out. Each ratio is shown as its median
over the rounds:

- the throughput of k runs together, by the wall's clock, divided by k times the throughput of one. Only a machine
  without other work can tell it;
- the processor time of a step of one run alone, of worker and parent, divided by that of a step of k runs together.
  Other work changes it little. It falls below 1 where runs hinder each other: by caches, memory, or what the parent
  does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from harness import experiment
from harness.execution.events import RunProgressed
from harness.planning.load import Plan
from harness.runs.folder import RunFolder


@dataclass
class Span:
    """What a run had taken at its first report, and at its newest.

    Attributes:
        steps: Steps at both.
        walls: Seconds on the wall's clock at both.
        seconds: Processor time of its worker at both.
    """

    steps: list[int] = field(default_factory=list[int])
    walls: list[float] = field(default_factory=list[float])
    seconds: list[float] = field(default_factory=list[float])

    def add(self, step: int, worker: psutil.Process) -> None:
        """Note a report."""
        times = worker.cpu_times()
        self.steps[1:] = [step]
        self.walls[1:] = [time.perf_counter()]
        self.seconds[1:] = [times.user + times.system]

    @property
    def throughput(self) -> float:
        """Steps per second on the wall's clock."""
        return (self.steps[1] - self.steps[0]) / (self.walls[1] - self.walls[0])

    @property
    def cost(self) -> float:
        """Processor time of the worker per step."""
        return (self.seconds[1] - self.seconds[0]) / (self.steps[1] - self.steps[0])


@dataclass(frozen=True)
class Measured:
    """What runs took that were trained together.

    Attributes:
        throughput: Steps per second of all of them together.
        cost: Processor time per step, the parent's share included.
    """

    throughput: float
    cost: float


def train(plan: Plan, runs: int) -> Measured:
    """Train so many runs of a plan at the same time."""
    spans: dict[str, Span] = {}
    with tempfile.TemporaryDirectory() as folder:

        def on_event(event: object) -> None:
            if isinstance(event, RunProgressed):
                pid = RunFolder.of(event.spec, Path(folder)).read().status.history[-1].pid
                spans.setdefault(event.spec.path, Span()).add(event.progress.step, psutil.Process(pid))

        before = time.process_time()
        result = experiment.run(plan, folder, workers=runs, device="cpu", on_event=on_event)
        parent = time.process_time() - before
    if not result.finished or len(spans) != runs:
        sys.exit("the runs did not finish")
    steps = sum(run.steps for run in plan.runs)
    cost = sum(span.cost for span in spans.values()) / runs + parent / steps
    return Measured(sum(span.throughput for span in spans.values()), cost)


def main() -> None:
    """Measure in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?", default="suites/quick.yaml")
    parser.add_argument("--profile")
    parser.add_argument("--method", default="ppo_rnd")
    parser.add_argument("--task", default="n10")
    parser.add_argument("--steps", type=int, default=49_152)
    parser.add_argument("--cores", type=int, default=len(psutil.Process().cpu_affinity()))
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()

    def plan(seeds: int) -> Plan:
        return experiment.plan(
            given.suite,
            profile=given.profile,
            methods=[given.method],
            tasks=[given.task],
            seeds=str(seeds),
            steps=given.steps,
        )

    throughputs, costs = list[float](), list[float]()
    for number in range(given.rounds):
        alone, together = train(plan(1), 1), train(plan(given.cores), given.cores)
        throughputs.append(together.throughput / (given.cores * alone.throughput))
        costs.append(alone.cost / together.cost)
        print(
            f"round {number + 1}: one run {alone.throughput:,.0f} steps/s, {1e6 * alone.cost:,.0f} us of processor a step;"
            f" {given.cores} runs {together.throughput:,.0f} steps/s, {1e6 * together.cost:,.0f} us a step",
            flush=True,
        )
    print(
        f"medians of {given.rounds} rounds: {median(throughputs):.2f} of {given.cores} times the throughput of one run (wall);"
        f" processor time of a step alone / together: {median(costs):.2f}"
    )


if __name__ == "__main__":
    main()
