"""What Proto-RL's Sinkhorn and k-th neighbour cost beside the bare formulas, as ratios in one run.

    python benchmarks/proto_rl.py [--batch 512] [--prototypes 512] [--queue 2048] [--dim 128] [--device auto]

* ``sinkhorn``: against the exponential and the divisions by sums that the formula consists of, which underflow;
* ``neighbours``: against ``torch.cdist`` by matrix product and ``topk``, whose small distances are rounding; once with points
  spread out, once with all in one tight bundle, and against ``torch.cdist`` by differences, which is as exact;
* ``bonus``: candidates and bonus of a batch, images of 84 x 84 x 9 and states of 24 numbers, against one pass through the
  encoder, the bare draw and the bare distances.

Ours and the bare form take turns; the ratio is of the fastest round of each. Exits with 1 where a ratio is above its bound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from clock import time_call
from gymnasium import spaces
from torch import Tensor

from harness import Spaces, Transitions
from harness.nn.neighbours import kth_distance
from harness.nn.sinkhorn import sinkhorn
from harness.training.devices import choose_device
from harness_proto_rl.config import ProtoRLConfig
from harness_proto_rl.reward import ProtoRL

TEMPERATURE, ITERATIONS, K = 0.1, 3, 3
BOUNDS = {"sinkhorn": 1.25, "neighbours": 2.0, "bonus": 1.5}
ACTIONS = spaces.Box(-1, 1, (6,), np.float32)
WORLDS = {
    "images": Spaces(spaces.Box(0, 255, (9, 84, 84), np.uint8), ACTIONS, frame_channels=3),
    "states": Spaces(spaces.Box(-np.inf, np.inf, (24,), np.float32), ACTIONS),
}


def bare_sinkhorn(scores: Tensor) -> Tensor:
    kernel = torch.exp((scores - scores.max()) / TEMPERATURE)
    for _ in range(ITERATIONS):
        kernel = kernel / kernel.sum(0)
        kernel = kernel / kernel.sum(1, keepdim=True)
    return kernel


def bare_kth_distance(points: Tensor, bank: Tensor, mode: str = "use_mm_for_euclid_dist") -> Tensor:
    return torch.cdist(points, bank, compute_mode=mode).topk(K, largest=False).values[:, -1]


@torch.no_grad()
def bare_bonus(proto: ProtoRL, states: Tensor) -> Tensor:
    z = F.normalize(proto.projection(states), dim=1)
    drawn = (proto.prototypes.weight @ z.T).softmax(1).multinomial(1)[:, 0]
    rows = proto.queue.rows
    bank = torch.cat([rows[len(drawn) :], z[drawn]])[-len(rows) :]
    return bare_kth_distance(z, bank)


def our_bonus(proto: ProtoRL, transitions: Transitions) -> Tensor:
    new = replace(transitions, next_obs=transitions.next_obs.view_as(transitions.next_obs))  # as if sampled anew
    proto.observe_batch(new)
    return proto.bonus(new)


def fastest(calls: list[Callable[[], Any]], device: torch.device, rounds: int) -> list[float]:
    """Seconds of each, in turns."""
    times = [[time_call(call, device) for call in calls] for _ in range(rounds + 1)]
    return [min(column) for column in zip(*times[1:], strict=True)]


def sample(n: int, world: str, device: torch.device) -> Transitions:
    space = WORLDS[world].observation
    assert space.shape is not None
    random = torch.Generator().manual_seed(0)
    if world == "images":
        obs = torch.randint(0, 256, (n, *space.shape), generator=random, dtype=torch.uint8)
    else:
        obs = torch.randn(n, *space.shape, generator=random)
    never = torch.zeros(n, dtype=torch.bool)
    fields = (obs, torch.zeros(n, 6), obs.clone(), torch.zeros(n), never, never, torch.zeros(n, dtype=torch.int64))
    return Transitions(*(field.to(device) for field in fields))


def measured_variants(arguments: argparse.Namespace, device: torch.device) -> dict[str, list[Callable[[], Any]]]:
    """By name: ours, the bare form, and further forms to compare with."""
    n, k, q, d = arguments.batch, arguments.prototypes, arguments.queue, arguments.dim

    def unit(*shape: int) -> Tensor:
        return F.normalize(torch.randn(shape), dim=1).to(device)

    points, bank, prototypes, pole = unit(n, d), unit(q, d), unit(k, d), unit(1, d)
    scores = points @ prototypes.T
    near, near_bank = (F.normalize(pole + 1e-2 * x, dim=1) for x in (points, bank))
    by_differences = "donot_use_mm_for_euclid_dist"
    found: dict[str, list[Callable[[], Any]]] = {
        "sinkhorn": [lambda: sinkhorn(scores, TEMPERATURE, ITERATIONS), lambda: bare_sinkhorn(scores)],
        "neighbours, spread": [
            lambda: kth_distance(points, bank, K),
            lambda: bare_kth_distance(points, bank),
            lambda: bare_kth_distance(points, bank, by_differences),
        ],
        "neighbours, bundled": [
            lambda: kth_distance(near, near_bank, K),
            lambda: bare_kth_distance(near, near_bank),
            lambda: bare_kth_distance(near, near_bank, by_differences),
        ],
    }
    for world, spaces_of_world in WORLDS.items():
        size = min(n, arguments.images) if world == "images" else n
        config = ProtoRLConfig(prototypes=k, queue_size=q, projection_dim=d)
        proto, batch = ProtoRL(config, spaces_of_world, 1, device, 0), sample(size, world, device)
        for _ in range(q // k + 1):
            proto.observe_batch(batch)
        found[f"bonus, {size} {world}"] = [
            lambda proto=proto, batch=batch: our_bonus(proto, batch),
            lambda proto=proto, batch=batch: bare_bonus(proto, batch.next_obs),
        ]
    return found


def main() -> int:
    """Measure; exit with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("batch", 512), ("prototypes", 512), ("queue", 2048), ("dim", 128), ("rounds", 20), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--images", type=int, default=64, help="images in a batch, if fewer than --batch")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    device, broken = choose_device(arguments.device), False
    for name, forms in measured_variants(arguments, device).items():
        ours, bare, *exact = fastest(forms, device, arguments.rounds)
        bound = BOUNDS[name.partition(",")[0]]
        broken |= ours / bare > bound
        beside = f", {ours / exact[0]:.2f} x by differences" if exact else ""
        print(f"{name:20} {1e3 * ours:8.2f} ms, {ours / bare:5.2f} x the bare form (bound {bound}){beside}", flush=True)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
