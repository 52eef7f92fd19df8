"""Many processes of ``harness tune`` on one study in PostgreSQL, on two hosts, some of them killed.

    python benchmarks/many_tuners.py --storage postgresql://me@127.0.0.1/studies --rounds 3

Every other process has a host name, a PID namespace and a clock of its own (an hour ahead; needs root on Linux), so
that it sees nothing of the others but the study and the folders of runs. Those that are killed, in the middle of a
trial, are not started again: the others must take their trials over, on their own host at once, from the other after a
minute without a heartbeat.

Afterwards every process that was not killed must have ended with 0, each trial must be complete once, with settings of
its own and all of its runs, and each run finished exactly once. Prints one line per round; exits with 1 if anything is
wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fake_hosts import Hosts, Member

from harness.runs.folder import find_runs
from harness.tuning.trials import STUDY_RECORD_FILE

SUITE = """
suite: many
environment: {family: deep_sea}
tasks: {sea: {environment: {size: 5, deterministic: false}, normalise: {low: 0, high: 1}}}
algorithm: {name: ppo, n_envs: 4, n_steps: 20, batch_size: 40, n_epochs: 1}
methods: {rnd: {reward: rnd, combine: sum, config: {warm_up_steps: 16, epochs: 1}}}
seeds: 1
steps: 1600
evaluation: {every: 800, episodes: 2}
checkpoint: {every: 160}
tune: {seeds: SEEDS, confirm: 0, pruner: none, parameters: [config.learning_rate, algorithm.gae_lambda]}
"""

SEEDS = 2
"""Runs of each trial."""

MOMENT_LIMIT_SECONDS = 300.0
"""For how long a process is given to begin a trial, on a machine however busy."""


@dataclass
class Options:
    """What is tried.

    Attributes:
        tuners: Number of processes.
        trials: Number of trials of the study.
        kills: How many of the processes are killed.
        hosts: Number of hosts that they pretend to be on, 1 or 2.
    """

    tuners: int = 4
    trials: int = 12
    kills: int = 1
    hosts: int = 2


@dataclass
class Report:
    """What came of a study.

    Attributes:
        seconds: Time that it took.
        complete: Number of trials that are complete.
        taken_over: Number of trials that a process took over from another one.
        problems: A sentence for each thing that is wrong.
    """

    seconds: float
    complete: int
    taken_over: int
    problems: list[str] = field(default_factory=list[str])


class Study:
    """One set of processes on one new study.

    Args:
        folder: Where everything goes but the study.
        storage: URL of the database; no study in it has the name of this one.
        options: What is tried.
        seed: What the choice of processes and moments follows from.
    """

    def __init__(self, folder: Path, storage: str, options: Options, seed: int) -> None:
        self._folder, self._storage, self._options, self._random = folder, storage, options, random.Random(seed)
        self._suite = folder / "many.yaml"
        self._suite.write_text(SUITE.replace("SEEDS", str(SEEDS)))
        self._name = f"many-{os.getpid()}-{seed}-{time.monotonic_ns()}"
        self._hosts = Hosts(folder)

    def run(self) -> Report:
        """Start the processes, kill some, wait for the others, and look at what they have left."""
        began = time.monotonic()
        members = [self._start(number % self._options.hosts) for number in range(self._options.tuners)]
        killed: list[Member] = []
        try:
            for _ in range(self._options.kills):
                member = self._random.choice([member for member in members if member not in killed])
                self._kill_in_a_trial(member)
                killed.append(member)
            problems = [problem for one in members if one not in killed and (problem := one.how_it_ended())]
        finally:
            for member in members:
                member.kill()
        taken_over = sum(one.printed.count("resumed   trial") for one in members)
        problems += self._what_is_wrong()
        return Report(time.monotonic() - began, self._complete(), taken_over, problems)

    def _start(self, host: int) -> Member:
        arguments = ["tune", str(self._suite), "--method", "rnd", "--study", self._name, "--trials", str(self._options.trials)]
        arguments += ["--workers", "1", "--device", "cpu", "--results", str(self._folder / "results")]
        return self._hosts.start(host, arguments, {"HARNESS_STORAGE": self._storage})

    def _kill_in_a_trial(self, member: Member) -> None:
        """Kill a process that has begun a trial and not ended it."""
        limit = time.monotonic() + MOMENT_LIMIT_SECONDS
        while time.monotonic() < limit and member.process.poll() is None:
            words = [line.split()[1:2] for line in member.printed.splitlines()]
            if words.count(["started"]) + words.count(["resumed"]) > words.count(["finished"]):
                time.sleep(self._random.uniform(0.0, 1.0))
                break
            time.sleep(0.1)
        member.kill()

    @property
    def _place(self) -> Path:
        return self._folder / "results" / "many" / "tuning" / self._name

    def _trials(self) -> list[dict[str, object]]:
        return json.loads((self._place / STUDY_RECORD_FILE).read_text())["trials"]

    def _complete(self) -> int:
        return sum(trial["state"] == "COMPLETE" for trial in self._trials())

    def _what_is_wrong(self) -> Iterator[str]:
        trials, wanted = self._trials(), self._options.trials
        if [trial["number"] for trial in trials] != list(range(wanted)):
            yield f"trials {[trial['number'] for trial in trials]} instead of {wanted}"
        for trial in trials:
            if trial["state"] != "COMPLETE" or trial["user_attrs"]["runs"] != SEEDS:  # type: ignore[index]
                yield f"trial {trial['number']}: {trial['state']}, {trial['user_attrs']}"
        if len({json.dumps(trial["params"], sort_keys=True) for trial in trials}) != len(trials):
            yield "trials with the same settings"
        folders, unreadable = find_runs(self._place)
        yield from unreadable
        if len(folders) != wanted * SEEDS:
            yield f"{len(folders)} runs instead of {wanted * SEEDS}"
        for folder in folders:
            history = [entry.state for entry in folder.read().status.history]
            if history.count("finished") != 1 or history[-1] != "finished" or "failed" in history:
                yield f"{folder.path}: its history is {history}"


def main() -> int:
    """Try it and print what came of it; the exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in vars(Options()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument(
        "--storage", default=os.environ.get("HARNESS_STORAGE"), help="URL of a database; HARNESS_STORAGE if not given"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = vars(parser.parse_args())
    rounds, seed, storage = arguments.pop("rounds"), arguments.pop("seed"), arguments.pop("storage")
    if not storage:
        parser.error("--storage: which database? such as postgresql://me@127.0.0.1/studies")
    options, failed = Options(**arguments), False
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            report = Study(Path(folder), storage, options, seed + number).run()
        failed |= bool(report.problems)
        print(
            f"round {number + 1}: {report.complete} of {options.trials} trials complete, {report.taken_over} taken over,"
            f" {len(report.problems)} problems, {report.seconds:.0f} s",
            *report.problems,
            sep="\n  ",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
