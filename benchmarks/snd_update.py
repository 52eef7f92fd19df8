"""What an update of each SND method costs: seconds, memory, and the ratio to the same arithmetic as a bare torch loop.

    python benchmarks/snd_update.py [--size smoke|paper] [--methods snd_v snd_std ...] [--minibatches 8] [--device auto]

* ``paper``: minibatches of 512 frames of 96 x 96; ``smoke``: minibatches of 16 frames of 84 x 84. A rollout of some (32 in the
  study) is learnt from as a whole, plugin and bare loop (``benchmarks/snd_bare.py``) in turns; the ratio is of the fastest
  round of each, in processor time unless there is a GPU, and includes what the plugin logs once per rollout.
* Memory is what an update needs beside rollout, networks and optimiser: the growth of the process's largest resident set, in a
  fresh process for each method and each of the two, or CUDA's own count.

Exits with 1 where the plugin takes more than 1.15 times as long.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import torch
from clock import time_call
from gymnasium import spaces
from snd_bare import Bare

from harness import Spaces, Transitions
from harness.registry import installed
from harness.training.devices import choose_device
from harness_snd.reward import SND

BOUND = 1.15
SIZES = {"smoke": (16, 84), "paper": (512, 96)}
N_ENVS = 4


def build(name: str, side: int, minibatches: int, device: torch.device) -> SND:
    """The method as its first preset has it, on stacks of four frames."""
    known = installed()
    method = known.method(name)
    config = {**next(iter(known.presets(method).values())).config, "minibatches": minibatches}
    world = Spaces(spaces.Box(0, 255, (4, side, side), np.uint8), spaces.Discrete(18), frame_channels=1)
    return known.load(method.reward)(known.config_class(method)(**config), world, N_ENVS, device, 0)


def random_rollout(n: int, side: int, device: torch.device) -> Transitions:
    """Frames of noise; their content does not matter for speed."""
    random = torch.Generator().manual_seed(0)
    obs, next_obs = (torch.randint(0, 256, (n, 1, side, side), generator=random, dtype=torch.uint8) for _ in range(2))
    never = torch.zeros(n, dtype=torch.bool)
    action = torch.randint(18, (n,), generator=random)
    fields = (obs, action, next_obs, torch.zeros(n), never, never, torch.arange(N_ENVS).repeat(n // N_ENVS))
    return Transitions(*(field.to(device) for field in fields))


def prepare(name: str, which: str, arguments: argparse.Namespace) -> tuple[SND | Bare, Transitions]:
    """The plugin or the bare loop, and what it is to learn from."""
    batch, side = SIZES[arguments.size]
    device = choose_device(arguments.device)
    rollout = random_rollout(batch * arguments.minibatches, side, device)
    snd = build(name, side, arguments.minibatches, device)
    return snd if which == "plugin" else Bare(name, snd), rollout


def speed(name: str, arguments: argparse.Namespace) -> tuple[float, float]:
    """Seconds of the fastest update, plugin and bare loop in turns."""
    torch.set_num_threads(arguments.threads)
    device = choose_device(arguments.device)
    prepared = [prepare(name, which, arguments) for which in ("plugin", "bare")]
    updates = [partial(learner.update, rollout) for learner, rollout in prepared]
    for learner, rollout in prepared:
        learner.update(rollout[: 2 * arguments.minibatches])
    rounds = [[time_call(update, device) for update in updates] for _ in range(arguments.rounds)]
    ours, theirs = map(min, zip(*rounds, strict=True))
    return ours, theirs


def memory(name: str, which: str, arguments: argparse.Namespace) -> float:
    """MiB that an update needs at its peak, in a process in which nothing larger has happened before."""
    torch.set_num_threads(arguments.threads)
    learner, rollout = prepare(name, which, arguments)
    learner.update(rollout[: 2 * arguments.minibatches])  # so that the optimiser's state and torch's code are there
    if rollout.obs.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        learner.update(rollout)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    learner.update(rollout)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10


def measure(name: str, arguments: argparse.Namespace) -> float:
    """Print one method's line and return its ratio."""
    spawn = multiprocessing.get_context("spawn")
    figures = []
    for call, *rest in ((speed,), (memory, "plugin"), (memory, "bare")):
        with ProcessPoolExecutor(1, mp_context=spawn) as fresh:
            figures.append(fresh.submit(call, name, *rest, arguments).result())
    (ours, theirs), plugin, bare = figures
    each = ours / arguments.minibatches
    print(
        f"{name:12} {arguments.size}: {each:8.3f} s per minibatch, {ours / theirs:5.2f} x the bare loop; "
        f"peak memory {plugin:6.0f} MiB, bare {bare:6.0f} MiB",
        flush=True,
    )
    return ours / theirs


def main() -> int:
    """Measure; exit with 1 where the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    methods = [name for name in installed().methods if name.startswith("snd_")]
    parser.add_argument("--size", choices=SIZES, default="smoke")
    parser.add_argument("--methods", nargs="+", choices=methods, default=methods)
    parser.add_argument("--minibatches", type=int, default=16, help="of the rollout that is learnt from")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    return int(max(measure(name, arguments) for name in arguments.methods) > BOUND)


if __name__ == "__main__":
    sys.exit(main())
