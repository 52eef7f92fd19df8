"""What the harness costs on top of environments and networks, as ratios measured in one run.

    python benchmarks/step_loop.py [--envs 8] [--iterations 6] [--threads 2]

1. PPO through the harness against plain SB3 PPO on `SubprocVecEnv`: same game, preprocessing, sizes, networks and threads.
   The two take turns, so that a machine whose speed drifts slows both; the ratio is of the medians.
2. The share of an iteration's wall time that is neither environment nor network: everything that is not inside the family's
   ``step_wait``, the policy's forward passes, PPO's ``train``, or the method's ``bonus``, ``observe`` and ``update``.
   SB3's own bookkeeping counts as ours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import ale_py
import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import SubprocVecEnv, VecMonitor

from harness.registry import installed
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec
from harness.training.assembly import Assembly, assemble

GAME = "montezuma_revenge"
N_STEPS, BATCH, EPOCHS = 64, 256, 4


def spec(n_envs: int, threads: int, *, family: str = "atari", reward: str | None = None, mode: str = "two_critics") -> RunSpec:
    """A run of the benchmark's sizes."""
    known = installed()

    def complete(description: Any, values: dict[str, Any]) -> dict[str, Any]:
        return known.config_class(description).model_validate(values).model_dump(mode="json")

    environment = {"game": GAME} if family == "atari" else {"size": 12}
    algorithm = {"n_envs": n_envs, "n_steps": N_STEPS, "batch_size": BATCH, "n_epochs": EPOCHS, "threads": threads}
    bonus = None
    if reward is not None:
        bonus = RewardSpec(name=reward, config=complete(known.method(reward), {}), combine=Combination(mode=mode))  # type: ignore[arg-type]
    return RunSpec(
        suite="benchmark",
        task=family,
        method=reward or "none",
        seed=0,
        environment=EnvironmentSpec(family=family, config=complete(known.environment(family), environment)),
        algorithm=AlgorithmSpec(name="ppo", config=complete(known.algorithm("ppo"), algorithm)),
        reward=bonus,
        steps=10**9,
        evaluation=EvaluationSpec(every=10**9, episodes=1),
        checkpoint_every=10**9,
    )


def plain_atari() -> gymnasium.Env:
    """The same preprocessing with Gymnasium's own wrappers."""
    env = gymnasium.make("ALE/MontezumaRevenge-v5", frameskip=1, repeat_action_probability=0.25)
    env = gymnasium.wrappers.AtariPreprocessing(env, noop_max=0, frame_skip=4, screen_size=84)
    return gymnasium.wrappers.FrameStackObservation(env, 4)


def iterate_plain(model: PPO, callback: Any) -> None:
    """One rollout and one update of plain SB3."""
    assert model.env is not None
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    model.train()


def timed(iteration: Callable[[], object]) -> float:
    """Seconds of one iteration."""
    start = time.perf_counter()
    iteration()
    return time.perf_counter() - start


def against_sb3(n_envs: int, threads: int, iterations: int) -> float:
    """Print and return the steps/s of the harness over those of plain SB3."""
    ours = assemble(spec(n_envs, threads), torch.device("cpu"), installed())
    ours.learner.begin(10**9)
    plain = PPO(
        "CnnPolicy",
        VecMonitor(SubprocVecEnv([plain_atari] * n_envs)),
        n_steps=N_STEPS,
        batch_size=BATCH,
        n_epochs=EPOCHS,
        device="cpu",
        seed=0,
    )
    _, callback = plain._setup_learn(10**9, None)
    pairs = [(timed(ours.learner.iterate), timed(lambda: iterate_plain(plain, callback))) for _ in range(iterations + 1)][1:]
    ours.close()
    plain.env.close()  # type: ignore[union-attr]
    steps = n_envs * N_STEPS
    mine, theirs = (steps / statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"PPO, {n_envs} environments, {threads} threads: harness {mine:.0f} steps/s, "
        f"SB3 with SubprocVecEnv {theirs:.0f}: ratio {mine / theirs:.2f}"
    )
    return mine / theirs


class Stopwatch:
    """Adds up the time inside wrapped methods, outermost call only."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def wrap(self, owner: object, name: str) -> None:
        """Time every call of ``owner.name``."""
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - start

        object.__setattr__(owner, name, call)


def overhead_share(one: RunSpec, iterations: int) -> float:
    """Print and return the share of wall time outside environments and networks."""
    parts: Assembly = assemble(one, torch.device("cpu"), installed())
    learner = parts.learner
    learner.begin(10**9)
    learner.iterate()
    watch, model = Stopwatch(), learner.model  # type: ignore[attr-defined]
    watched = [
        (parts.base, "step_async"),
        (parts.base, "step_wait"),
        (model.policy, "forward"),
        (model.policy, "predict_values"),
    ]
    watched.append((model, "train"))
    if parts.reward is not None:
        watched += [(parts.reward, name) for name in ("bonus", "observe", "update")]
    for owner, name in watched:
        watch.wrap(owner, name)
    total = sum(timed(learner.iterate) for _ in range(iterations))
    parts.close()
    share = 1 - watch.seconds / total
    mode = one.reward.combine.mode if one.reward else "none"
    print(f"own share, {one.environment.family} {one.method} {mode}: {share:.1%}")
    return share


def main() -> int:
    """Measure; exit with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=6)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of torch, in both; default: all cores")
    arguments = parser.parse_args()
    gymnasium.register_envs(ale_py)
    ratio = against_sb3(arguments.envs, arguments.threads, arguments.iterations)
    shares = [
        overhead_share(spec(arguments.envs, arguments.threads), 2),
        overhead_share(spec(arguments.envs, arguments.threads, reward="rnd", mode="sum"), 2),
        overhead_share(spec(arguments.envs, arguments.threads, reward="rnd"), 2),
    ]
    return 0 if ratio >= 1 and max(shares) < 0.05 else 1


if __name__ == "__main__":
    sys.exit(main())
