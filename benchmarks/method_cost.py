"""What each method costs on MiniGrid's 7 x 7 view: steps per second and memory, as ratios in one run.

    python benchmarks/method_cost.py [--envs 32] [--steps 128] [--rounds 3] [--methods rnd e3b e3b:henaff2022 ...]

PPO with the settings of suites/minigrid.yaml collects a rollout and learns from it, with each method in turn, round after
round. Times are of the processor, of all threads together, so that other work on the machine adds next to nothing; a method's
speed is given as a share of that of the same PPO with `rnd`. Memory is what its state holds: networks, statistics, optimisers,
and the memories of episodes, which have room for a whole episode of every environment. NAME:PRESET measures another preset.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from first_party import first_party_methods, on_policy
from torch import Tensor

from harness.planning.resolve import deep_merge
from harness.registry import installed
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec
from harness.training import trees
from harness.training.assembly import Assembly, assemble

TASK = "KeyCorridorS3R3"
PPO = {"network": "minigrid", "batch_size": 256, "n_epochs": 4, "learning_rate": 1e-3, "threads": 1}
CELLS = {"convolutions": "raileanu2020", "observation_normalisation": "none", "warm_up_steps": 0, "feature_dim": 128}
SETTINGS = {"rnd": CELLS | {"mask": "none"}, "icm": CELLS, "disagreement": CELLS}
"""What the methods are told whose defaults are made for larger images: to embed these cells as suites/minigrid.yaml has it."""

PRESETS = {"e3b": "compact", "apt": "on_policy", "icm_apt": "on_policy", "disagreement": "rllte"}
"""Presets that are not the first: those for few environments and on-policy learners, and an ensemble of small models."""

DEAREST = ("disagreement:pathak2019",)
"""Presets measured beside those above: first ones that cost too much to be taken for these cells."""

BASELINE = "rnd"


@dataclass
class Measured:
    """One method, built, with the times of its iterations."""

    assembly: Assembly
    seconds: list[float] = field(default_factory=list)

    def iterate(self) -> None:
        start = time.process_time()
        self.assembly.learner.iterate()
        self.seconds.append(time.process_time() - start)

    @property
    def memory(self) -> int:
        """Bytes of all tensors in the method's state."""
        if self.assembly.reward is None:
            return 0
        _, tensors = trees.flatten(dict(self.assembly.reward.state_dict()))
        return sum(tensor.nbytes for tensor in tensors.values() if isinstance(tensor, Tensor))


def reward_spec(asked: str) -> RewardSpec:
    name, _, preset = asked.partition(":")
    known = installed()
    method = known.method(name)
    presets = known.presets(method)
    if preset and preset not in presets:
        raise SystemExit(f"{name!r} has no preset {preset!r}; it has {', '.join(presets) or 'none'}")
    chosen = presets.get(preset or PRESETS.get(name, next(iter(presets), "")))
    values: dict[str, Any] = deep_merge(chosen.config if chosen else {}, SETTINGS.get(name, {}))
    config = known.config_class(method).model_validate(values).model_dump(mode="json")
    return RewardSpec(name=name, config=config, combine=Combination(mode="sum"))


def spec(name: str, n_envs: int, n_steps: int) -> RunSpec:
    known = installed()
    family, algorithm = known.environment("minigrid"), known.algorithm("ppo")
    environment = known.config_class(family).model_validate({"task": TASK}).model_dump(mode="json")
    settings = PPO | {"n_envs": n_envs, "n_steps": n_steps}
    return RunSpec(
        suite="benchmark",
        task=TASK,
        method=name,
        seed=0,
        environment=EnvironmentSpec(family="minigrid", config=environment),
        algorithm=AlgorithmSpec(
            name="ppo", config=known.config_class(algorithm).model_validate(settings).model_dump(mode="json")
        ),
        reward=None if name == "none" else reward_spec(name),
        steps=10**9,
        evaluation=EvaluationSpec(every=10**9, episodes=1),
        checkpoint_every=10**9,
    )


def build(name: str, n_envs: int, n_steps: int) -> Measured:
    assembly = assemble(spec(name, n_envs, n_steps), torch.device("cpu"), installed())
    assembly.learner.begin(10**9)
    return Measured(assembly)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, default in (("envs", 32), ("steps", 128), ("rounds", 3)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--methods", nargs="+", default=["none", *on_policy(first_party_methods()), *DEAREST])
    options = parser.parse_args()
    names = list(dict.fromkeys([BASELINE, *options.methods]))
    measured = {name: build(name, options.envs, options.steps) for name in names}
    for round_ in range(options.rounds + 1):
        for one in measured.values():
            one.iterate()
            if round_ == 0:
                one.seconds.clear()  # of the first, in which memory is allocated
    steps = options.envs * options.steps
    usual = statistics.median(measured[BASELINE].seconds)
    print(f"{options.envs} environments, rollouts of {options.steps} steps, {TASK}; medians of {options.rounds} iterations")
    print(f"\n| method | steps per processor second | relative to {BASELINE} | memory |")
    print("|---|---|---|---|")
    for name, one in sorted(measured.items(), key=lambda item: statistics.median(item[1].seconds)):
        seconds = statistics.median(one.seconds)
        print(f"| `{name}` | {steps / seconds:.0f} | {usual / seconds:.2f} | {one.memory / 2**20:.1f} MiB |", flush=True)
    for one in measured.values():
        one.assembly.close()


if __name__ == "__main__":
    main()
