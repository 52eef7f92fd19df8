"""How fast training is: against its peers, against what this machine allows, and where the time goes.

    python benchmarks/throughput.py                                     # everything, 5 repetitions, one thread
    python benchmarks/throughput.py --only ppo_atari rnd_atari --repetitions 7 --threads 2
    python benchmarks/throughput.py --peer "cleanrl:4096=python ppo_rnd_envpool.py --num-envs 32 --no-cuda"
    python benchmarks/throughput.py --against benchmarks/ratios.json    # exits with 1 where a ratio has become worse
    python benchmarks/throughput.py --save benchmarks/ratios.json

All contestants of a workload live in one tree of processes and take turns, one iteration each; a ratio is the median of the
ratios of each turn, with the half-width of its middle half as noise. With one thread they are of processor time, children
included, so that other work on the machine adds little; with more threads of wall time, on a machine that is idle.

* Peers: Stable-Baselines3 on `DummyVecEnv` and `SubprocVecEnv` with the same sizes; for methods, the same run without a bonus.
  `--peer NAME:STEPS=COMMAND` starts any other program that prints ``SPS: n`` after every STEPS steps, as CleanRL's scripts do:
  its marginal speed, from the first to the last line, is divided into ours, of the first workload that was asked for.
* Ceiling: environments that step with random actions, and bare torch loops of the same layers and batches (PPO's policy, and
  target and predictor of RND, in the faster of torch's two memory formats; SAC's actor and critics with all its losses): 1
  means that nothing is lost on anything else.
* The split says what share of an iteration goes to environments, inference, bonus, bonus update, policy update, storage and
  bookkeeping, each without the others that it calls.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import torch
from ratios import Ratio, describe_moves, load_ratios, measure, save_ratios
from throughput_parts import ceiling, split
from throughput_runs import WORKLOADS, Workload, plain_sb3

from harness.errors import HarnessError
from harness.registry import installed
from harness.training.assembly import Assembly, assemble

SPS = re.compile(r"SPS: *(\d+(?:\.\d+)?)")


def main() -> int:
    """Measure; exit with 1 where a ratio has become worse than in the file of ``--against``."""
    arguments = _arguments()
    found: dict[str, Ratio] = {}
    for name in arguments.only:
        found |= _measure_workload(name, WORKLOADS[name], arguments)
    for peer in arguments.peer:
        found |= _against_command(peer, arguments.only[0], WORKLOADS[arguments.only[0]], arguments)
    if arguments.save:
        save_ratios(arguments.save, found, arguments.threads)
    if arguments.against:
        worse, lines = describe_moves(load_ratios(arguments.against, arguments.threads), found)
        print("\n".join(lines))
        return 1 if worse else 0
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="WORKLOAD")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME:STEPS=COMMAND")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--against", type=Path)
    return parser.parse_args()


def _measure_workload(name: str, workload: Workload, arguments: argparse.Namespace) -> dict[str, Ratio]:
    """Ratios by name, printed as they are found."""
    one_thread = arguments.threads == 1
    own_clock = time.process_time if one_thread else time.perf_counter
    clock = _processor_seconds if one_thread else time.perf_counter
    torch.set_num_threads(arguments.threads)
    try:
        runs = {"ours": assemble(workload.spec(arguments.threads), torch.device("cpu"), installed())}
        if workload.reward:
            runs["without_bonus"] = assemble(workload.without_bonus(arguments.threads), torch.device("cpu"), installed())
    except (HarnessError, ImportError, OSError) as error:  # what is not installed here is left out, and said so
        print(f"{name}: left out, {type(error).__name__}: {error}")
        return {}
    contestants: dict[str, Callable[[], object]] = {}
    for key, run in runs.items():
        run.learner.begin(10**9)
        contestants[key] = run.learner.iterate
    if workload.has_plain_peer:
        for key in ("sb3_dummy", "sb3_subproc"):
            contestants[key] = plain_sb3(workload, subprocesses=key == "sb3_subproc")
    seconds = measure(contestants, arguments.repetitions, clock, warm_up=workload.warm_up)
    found = {f"{name}/{key}": Ratio.of(seconds[key], seconds["ours"]) for key in contestants if key != "ours"}
    steps = _iteration_steps(runs["ours"])
    speed = steps / sorted(seconds["ours"])[len(seconds["ours"]) // 2]
    print(f"{name}: {speed:.0f} steps/s")
    limit = ceiling(runs["ours"], own_clock, arguments.repetitions)
    if limit is not None:
        found[f"{name}/ceiling"] = Ratio.of([limit] * len(seconds["ours"]), seconds["ours"])
    for key, ratio in found.items():
        print(f"  {key:32} {ratio}")
    print("  " + ", ".join(f"{part} {share:.1%}" for part, share in split(runs["ours"], own_clock).items()))
    for run in runs.values():
        run.close()
    return found


def _iteration_steps(run: Assembly) -> int:
    return run.learner.vector_steps_per_iteration * run.base.num_envs


def _processor_seconds() -> float:
    """Processor time of this process and of the children that step environments."""
    pids = [child.pid for child in multiprocessing.active_children() if child.pid is not None]
    return time.process_time() + sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def _against_command(peer: str, name: str, workload: Workload, arguments: argparse.Namespace) -> dict[str, Ratio]:
    """The ratio to a program that says how fast it is; both run alone, one after the other, as often as is asked for."""
    head, _, command = peer.partition("=")
    label, _, steps = head.partition(":")
    theirs, ours = [], []
    run = assemble(workload.spec(arguments.threads), torch.device("cpu"), installed())
    run.learner.begin(10**9)
    for _ in range(arguments.repetitions):
        theirs.append(1 / _marginal_speed(command, int(steps), arguments.threads))
        start = time.perf_counter()
        run.learner.iterate()
        ours.append((time.perf_counter() - start) / _iteration_steps(run))
    run.close()
    ratio = Ratio.of(theirs, ours)
    print(f"  {name}/{label:25} {ratio}  (wall time)")
    return {f"{name}/{label}": ratio}


def _marginal_speed(command: str, steps: int, threads: int) -> float:
    """Steps per second from a program's first printed average to its last.

    Raises:
        SystemExit: The program ended without two averages.
    """
    environment: Mapping[str, Any] = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, env=environment, check=False)
    averages = [float(number) for number in SPS.findall(done.stdout)]
    if len(averages) < 2:
        raise SystemExit(f"{command} printed fewer than two lines 'SPS: n':\n{done.stderr[-500:]}")
    first, last = steps / averages[0], len(averages) * steps / averages[-1]
    return (len(averages) - 1) * steps / (last - first)


if __name__ == "__main__":
    sys.exit(main())
