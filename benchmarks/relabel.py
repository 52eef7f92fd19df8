"""What it costs that SAC's batches carry fresh bonuses, as ratios measured in one run.

    python benchmarks/relabel.py [--rounds 30] [--batch 256] [--method rnd snd_vic]

For each kind of observation and method, three things take turns, so that a machine whose speed drifts slows all of them: a
sample from SB3's replay buffer, a sample from the relabelled one, and the method's own share of it, which is one ``update``
and one ``bonus`` of a batch that is there already. The overhead is what relabelling costs beyond the other two, as a share of
the method's own part; medians over rounds, in CPU time. Exits with 1 where it is above 10 %.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass

import numpy as np
import torch
from clock import time_call
from gymnasium import spaces as gym_spaces
from stable_baselines3.common.buffers import ReplayBuffer

from harness.algorithms.off_policy.relabelling import RelabelledReplayBuffer, RelabellingVecEnv
from harness.registry import installed
from harness.rewards import IntrinsicReward, Spaces, Transitions
from harness.spec import Combination
from harness.testing import EnvironmentKind, ScriptedVecEnv, random_script

STORED, BOUND = 300, 0.10

_ACTIONS = gym_spaces.Box(-1, 1, (6,), np.float32)
WORLDS = {
    "states": EnvironmentKind("vectors", "continuous", Spaces(gym_spaces.Box(-np.inf, np.inf, (24,), np.float32), _ACTIONS)),
    "pixels": EnvironmentKind("images", "continuous", Spaces(gym_spaces.Box(0, 255, (9, 84, 84), np.uint8), _ACTIONS, 3)),
}


@dataclass
class Case:
    """One method on one kind of observation; its buffers hold the same transitions."""

    plain: ReplayBuffer
    relabelled: RelabelledReplayBuffer
    reward: IntrinsicReward
    batch: Transitions


class _LastBatchVecEnv(RelabellingVecEnv):
    """Remembers the batch that was scored last."""

    def relabel(self, batch: Transitions) -> torch.Tensor:
        self.last = batch
        return super().relabel(batch)


def build(world: EnvironmentKind, method: str, batch: int) -> Case:
    """Fill both buffers with random transitions."""
    known = installed()
    description = known.method(method)
    config_class = known.config_class(description)
    presets = known.presets(description)
    published = next(iter(presets.values())).config
    values = dict(published) | {name: 1 for name in ("epochs", "minibatches") if name in config_class.model_fields}
    reward = known.load(description.reward)(config_class.model_validate(values), world.spaces, 1, "cpu", 0)
    script = random_script(world, 0, n_steps=STORED, n_envs=1)
    env = _LastBatchVecEnv(ScriptedVecEnv(world.spaces, script), reward, Combination(mode="sum"))
    space = world.spaces
    plain = ReplayBuffer(STORED, space.observation, space.action, "cpu")
    relabelled = RelabelledReplayBuffer(STORED, space.observation, space.action, "cpu", bonus_env=env)
    for t in range(STORED):
        step = (script.obs[t], script.next_obs[t], script.action[t], script.reward[t], script.done[t], [{}])
        for buffer in (plain, relabelled):
            buffer.add(*step)
    relabelled.sample(batch)
    return Case(plain, relabelled, reward, env.last)


def measure(world: str, method: str, rounds: int, batch: int) -> float:
    """Print the times of one case; returns the overhead."""
    case = build(WORLDS[world], method, batch)

    def method_only() -> None:
        case.reward.update(case.batch)
        case.reward.observe_batch(case.batch)
        case.reward.bonus(case.batch)

    calls = (lambda: case.plain.sample(batch), method_only, lambda: case.relabelled.sample(batch))
    times = [[time_call(call) for call in calls] for _ in range(rounds + 2)][2:]
    plain, own, relabelled = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    overhead = statistics.median((whole - without - share) / share for without, share, whole in times)
    print(
        f"{world:7} {method:8} SB3's sample {plain:7.2f} ms, method's update and bonus {own:7.2f} ms, "
        f"relabelled sample {relabelled:7.2f} ms: overhead {overhead:+.1%}",
        flush=True,
    )
    return overhead


def main() -> int:
    """Measure; exit with 1 where the bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--method", nargs="+", default=["rnd", "snd_vic"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cases = [(world, method) for world in WORLDS for method in arguments.method]
    overheads = [measure(world, method, arguments.rounds, arguments.batch) for world, method in cases]
    return 0 if max(overheads) <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
