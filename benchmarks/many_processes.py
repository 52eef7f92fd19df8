"""Many processes of ``harness run`` on one results directory, some killed and restarted, some stopped and continued.

    python benchmarks/many_processes.py --rounds 20
    python benchmarks/many_processes.py --rounds 5 --hosts 2 --stops 2

With two hosts, every other process has a host name, a PID namespace and a clock of its own (an hour ahead; needs root on
Linux), so that it can judge the others by their heartbeats alone; the limit of silence is then a few seconds. A process is
stopped in the middle of a run, and continued once another one has taken the run over and a moment has passed.

Afterwards every process that was not killed must have ended with 0, and each run must be finished exactly once, with no row
twice, no failure in its history and nothing left over. Prints one line per round; exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fake_hosts import SILENCE_SECONDS, Hosts, Member

from harness.runs.claim_file import read_owner
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder, find_runs
from harness.runs.owner import Owner

MOMENT_LIMIT_SECONDS = 120.0
"""For how long the moment of a disturbance is looked for, on a machine however busy."""

SUITE = """
suite: many
environment: {family: deep_sea}
tasks: {sea: {environment: {size: 5, deterministic: false}}}
algorithm: {name: ppo, n_envs: 4, n_steps: 20, batch_size: 40, n_epochs: 1}
methods: {ppo: {}}
seeds: SEEDS
steps: STEPS
evaluation: {every: 800, episodes: 2}
checkpoint: {every: 160}
"""


@dataclass
class Options:
    """What is tried.

    Attributes:
        processes: Number of processes at a time.
        runs: Number of runs of the suite.
        steps: Steps of each run.
        kills: How many processes are killed and restarted in each round.
        stops: How many are stopped for longer than the limit of silence, and then continued.
        hosts: Number of hosts that the processes pretend to be on, 1 or 2.
    """

    processes: int = 8
    runs: int = 40
    steps: int = 1600
    kills: int = 2
    stops: int = 0
    hosts: int = 1


@dataclass
class Report:
    """What came of a round.

    Attributes:
        seconds: Time that it took.
        finished: Number of runs that are finished.
        attempts: Number of attempts at all runs together.
        lost: Number of runs that a process lost to another one while it stood still.
        problems: A sentence for each thing that is wrong.
    """

    seconds: float
    finished: int
    attempts: int
    lost: int
    problems: list[str] = field(default_factory=list[str])


class Round:
    """One set of processes on one new results directory.

    Args:
        folder: Where everything goes.
        options: What is tried.
        seed: What the choice of processes and moments follows from.
    """

    def __init__(self, folder: Path, options: Options, seed: int) -> None:
        self._folder, self._options, self._random = folder, options, random.Random(seed)
        self._results = folder / "results"
        self._suite = folder / "many.yaml"
        self._suite.write_text(SUITE.replace("SEEDS", str(options.runs)).replace("STEPS", str(options.steps)))
        self._hosts = Hosts(folder)

    def run(self) -> Report:
        """Start the processes, disturb them, wait for them, and look at what they have left."""
        began = time.monotonic()
        members = [self._start(number % self._options.hosts) for number in range(self._options.processes)]
        everyone = list(members)
        try:
            for disturbance in self._disturbances():
                if disturbance == "stop":
                    self._stop_one(members)
                else:
                    everyone += self._kill_one(members)
            problems = [problem for member in members if (problem := member.how_it_ended())]
        finally:
            for member in members:
                member.kill()
        return self._look(time.monotonic() - began, everyone, problems)

    def _start(self, host: int) -> Member:
        arguments = [
            "run",
            str(self._suite),
            "--workers",
            "1",
            "--no-report",
            "--results",
            str(self._results),
            "--device",
            "cpu",
        ]
        return self._hosts.start(host, arguments)

    def _disturbances(self) -> list[str]:
        found = ["kill"] * self._options.kills + ["stop"] * self._options.stops
        self._random.shuffle(found)
        return found

    def _wait_for_progress(self) -> None:
        """Until at least one more run has begun, and a moment more."""
        before, limit = len(self._files_of_runs("run.json")), time.monotonic() + 60
        while len(self._files_of_runs("run.json")) in (before, 0) and time.monotonic() < limit:
            time.sleep(0.1)
        time.sleep(self._random.uniform(0.0, 1.0))

    def _kill_one(self, members: list[Member]) -> list[Member]:
        """Kill one at any moment, put a new process in its place, and return that one."""
        self._wait_for_progress()
        alive = [number for number, member in enumerate(members) if member.process.poll() is None]
        if not alive:
            return []
        number = self._random.choice(alive)
        members[number].kill()
        members[number] = self._start(members[number].host)
        return [members[number]]

    def _stop_one(self, members: list[Member]) -> None:
        """Stop one that trains a run until another process has taken the run over, and a moment more."""
        limit = time.monotonic() + MOMENT_LIMIT_SECONDS
        while time.monotonic() < limit and any(member.process.poll() is None for member in members):
            time.sleep(self._random.uniform(0.1, 1.0))
            for member in self._random.sample(members, len(members)):
                member.signal(signal.SIGSTOP)
                try:
                    claims = {claim: owner for claim, owner in self._claims() if _owns(member, owner)}
                    if claims and self._wait_for_other_owners(claims):
                        return
                finally:
                    member.signal(signal.SIGCONT)

    def _claims(self) -> Iterator[tuple[Path, Owner]]:
        for claim in self._files_of_runs("claim"):
            owner = read_owner(claim)
            if owner is not None:
                yield claim, owner

    def _files_of_runs(self, name: str) -> list[Path]:
        """Files of this name in ``suite/task/method/seed``; deeper folders come and go while one looks."""
        return list(self._results.glob(f"*/*/*/seed-*/{name}"))

    @staticmethod
    def _wait_for_other_owners(claims: dict[Path, Owner]) -> bool:
        """Whether the claims change hands; those of a process that was stopped while it changed a file do not."""
        limit = time.monotonic() + 4 * SILENCE_SECONDS
        while time.monotonic() < limit:
            if all(read_owner(claim) != owner for claim, owner in claims.items()):
                time.sleep(1.0)
                return True
            time.sleep(0.1)
        return False

    def _look(self, seconds: float, everyone: list[Member], problems: list[str]) -> Report:
        folders, unreadable = find_runs(self._results)
        problems += unreadable
        for folder in folders:
            problems += _what_is_wrong(folder, self._options.steps)
        if len(folders) != self._options.runs:
            problems.append(f"{len(folders)} runs instead of {self._options.runs}")
        statuses = [folder.read().status for folder in folders]
        finished = sum(status.state == "finished" for status in statuses)
        lost = sum(member.printed.count("this run was taken over by") for member in everyone)
        return Report(seconds, finished, sum(status.attempts for status in statuses), lost, problems)


def _owns(member: Member, owner: Owner) -> bool:
    """Whether the owner that a claim names is one of a member's processes."""
    return any(_as_it_sees_itself(one.pid) == (owner.pid, owner.namespace.split(" ")[0]) for one in member.everyone)


def _as_it_sees_itself(pid: int) -> tuple[int, str]:
    """Number and PID namespace of a process, as a claim of its own names them."""
    folder = Path("/proc") / str(pid)
    with suppress(OSError):
        numbers = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("NSpid:"))
        return int(numbers.split()[-1]), str((folder / "ns/pid").readlink())
    return 0, ""


def _what_is_wrong(folder: RunFolder, steps: int) -> Iterator[str]:
    history = [entry.state for entry in folder.read().status.history]
    if history.count("finished") != 1 or history[-1] != "finished" or "failed" in history:
        yield f"{folder.path}: its history is {history}"
    progress = [int(row["time/total_timesteps"]) for row in read_csv_rows(folder.progress_file)[1]]
    if progress != list(range(80, steps + 1, 80)):
        yield f"{folder.path}: progress.csv has the steps {progress}"
    evaluations = [(int(row["step"]), int(row["episode"])) for row in read_csv_rows(folder.evaluations_file)[1]]
    if evaluations != [(step, episode) for step in range(800, steps + 1, 800) for episode in range(2)]:
        yield f"{folder.path}: evaluations.csv has {evaluations}"
    left = [file.name for file in folder.path.rglob("*") if file.name.startswith((".tmp-", "claim", "error.log"))]
    if left:
        yield f"{folder.path}: {', '.join(left)} left over"


def main() -> int:
    """Try it and print what came of it; the exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in vars(Options()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = vars(parser.parse_args())
    rounds, seed = arguments.pop("rounds"), arguments.pop("seed")
    options, failed = Options(**arguments), False
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            report = Round(Path(folder), options, seed + number).run()
        failed |= bool(report.problems)
        print(
            f"round {number + 1}: {report.finished} of {options.runs} runs finished in {report.attempts} attempts,"
            f" {report.lost} lost to others, {len(report.problems)} problems, {report.seconds:.0f} s",
            *report.problems,
            sep="\n  ",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
