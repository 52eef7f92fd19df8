"""Kill runs with SIGKILL at random instants, resume them, and compare with runs that were never touched.

    python benchmarks/kill_and_resume.py --kills 200

Each case is trained once undisturbed and once with kills: half of them at a random moment, half at a moment when a checkpoint
is half-written on the disk. Afterwards progress.csv (times aside), evaluations.csv, visits.json and every tensor of the last
checkpoint must be equal. Prints one line per case and their sum; exits with 1 if any differs, as a nightly job wants it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from families import ENVIRONMENTS

from harness.planning.load import load
from harness.runs.files import TEMPORARY, read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.guarded import read_text
from harness.runs.visits import VISITS_FILE
from harness.spec import RunSpec

Train = Callable[[RunSpec, Path], None]

_FORKSERVER = multiprocessing.get_context("forkserver")
"""Children of a server that has loaded the harness and trained nothing: they start fast, and no thread of ours is lost."""
_FORKSERVER.set_forkserver_preload(["harness.training.run", "torch._dynamo"])  # the second by torch's optimizers, in seconds

DEEP_SEA = """
suite: kill
environment: {family: deep_sea}
tasks: {sea: {environment: {size: 8, deterministic: false}}}
algorithm: {name: ppo, n_envs: 8, n_steps: 20, batch_size: 80, n_epochs: 2}
methods: METHODS
seeds: 1
steps: 8_000
evaluation: {every: 1600, episodes: 4}
checkpoint: {every: 480}
"""

ATARI = """
suite: kill
environment: {family: atari, episode_steps: 40}
tasks: {montezuma_revenge: {}}
algorithm: {name: ppo, n_envs: 2, n_steps: 16, batch_size: 32, n_epochs: 1, network: sb3}
methods: METHODS
seeds: 1
steps: 640
evaluation: {every: 160, episodes: 2}
checkpoint: {every: 32}
"""

LEARNERS = """
suite: kill
environment: ENVIRONMENT
tasks: {task: {}}
algorithm: {name: ppo}
methods: METHODS
seeds: 1
steps: 6_000
evaluation: {every: 1600, episodes: 4}
checkpoint: {every: 400}
"""

METHODS = """{
  none: {},
  rnd_sum: {reward: rnd, config: CONFIG, combine: {mode: sum, intrinsic_weight: 0.5}},
  rnd_two_critics: {reward: rnd, config: CONFIG, combine: two_critics}}
"""

CONFIG = "{warm_up_steps: 4, feature_dim: 32, hidden: [32], keep: 0.5, minibatch_order: shuffled}"

REPLAYED = "n_envs: 4, buffer_size: 2000, learning_starts: 100, batch_size: 32, net_arch: [16], log_every: 200"
DISCRETE = {
    "a2c": "n_envs: 4, n_steps: 25, net_arch: [16]",
    "dqn": f"{REPLAYED}, target_update_interval: 100",
    "qr_dqn": f"{REPLAYED}, target_update_interval: 100, n_quantiles: 7",
    "recurrent_ppo": "n_envs: 4, n_steps: 25, batch_size: 50, n_epochs: 2, net_arch: [16], lstm_hidden_size: 8",
}
CONTINUOUS = {
    "sac": REPLAYED,
    "td3": f"{REPLAYED}, policy_delay: 3",
    "tqc": f"{REPLAYED}, n_quantiles: 5, n_critics: 2",
}
BONUSES = {
    "none": "",
    "rnd": "reward: rnd, config: {feature_dim: 16, hidden: [16], epochs: 1, minibatches: 1}, combine: sum, ",
    "snd_vic": "reward: snd_vic, config: {feature_dim: 16, minibatches: 1}, combine: sum, ",
}

FAMILIES = [settings for name, settings in ENVIRONMENTS.items() if "(" not in name and name not in {"atari", "deep_sea"}]
"""One environment of each family that has no suite of its own here."""

FAMILY = """
suite: kill
environment: ENVIRONMENT
tasks: {task: {}}
algorithm: {name: ppo, n_envs: 2, n_steps: 16, batch_size: 32, n_epochs: 1, network: sb3, threads: 1}
methods:
  none: {}
  rnd: {reward: rnd, config: {warm_up_steps: 4, feature_dim: 16}, combine: {mode: two_critics}}
  snd_std: {reward: snd_std, config: {feature_dim: 16, minibatches: 1}, combine: {mode: two_critics}}
seeds: 1
steps: 640
evaluation: {every: 320, episodes: 1}
checkpoint: {every: 64}
"""
SAC = """
suite: kill
environment: {family: dm_control, task: cartpole_swingup_sparse, episode_steps: 60}
tasks: {task: {}}
algorithm: {name: sac, n_envs: 2, buffer_size: 1000, learning_starts: 100, batch_size: 32, net_arch: [16], log_every: 100}
methods:
  proto_rl: {reward: proto_rl, config: {projection_dim: 16, prototypes: 16, hidden: [16]}}
seeds: 1
steps: 1_200
evaluation: {every: 400, episodes: 1}
checkpoint: {every: 100}
"""

SMALL_MODELS = "hidden: [32], latent_dim: 8, architecture: mlp, minibatches: 2"
CURIOSITY = {
    "icm": "hidden: [32], feature_dim: 16, forward_hidden: 32, minibatches: 2",
    "disagreement": "hidden: [32], feature_dim: 16, forward_hidden: 32, minibatches: 2, members: 3, warm_up_steps: 4",
    "vae": SMALL_MODELS,
    "world_model": f"{SMALL_MODELS}, recurrent: 16, segment: 8",
    "td_vae": "hidden: 16, belief_dim: 16, segment: 8",
    "e2c": "encoder_hidden: [32], decoder_hidden: [32], transition_hidden: [32], minibatches: 2",
}
"""Settings of the methods with models of the world, by name; two of them remember the present episode."""
_EMBEDDED = "hidden: [32], feature_dim: 16"
EPISODIC = {
    "counts": "scope: product",
    "pseudo_counts": f"{_EMBEDDED}, memory: 16",
    "ngu": f"{_EMBEDDED}, memory: 16",
    "ride": _EMBEDDED,
    "e3b": _EMBEDDED,
    "noveld": _EMBEDDED,
    "re3": f"{_EMBEDDED}, bank_size: 64",
    "apt": "representation: random, bank_size: 64",
    "icm_apt": "hidden_dim: 32, feature_dim: 16, bank_size: 64",
}
"""Settings of the methods that remember episodes or states, by name."""

ON_SAC = ("icm", "disagreement", "vae", "e2c", "re3", "apt", "icm_apt")


def _added(names: Iterable[str]) -> str:
    """The methods of these names, each with a bonus that is added to the reward."""
    settings = CURIOSITY | EPISODIC
    bonuses = (f"{name}: {{reward: {name}, config: {{{settings[name]}}}, combine: {{mode: sum}}}}" for name in names)
    return f"{{{', '.join(bonuses)}}}"


def suites() -> list[str]:
    """PPO in two families with each way of combining, every other algorithm without and with two bonuses, every family, and
    the method that only continuous actions suit, models of the world and memories in two families, and on SAC what may."""
    methods = METHODS.replace("\n", " ").replace("CONFIG", CONFIG)
    found = [text.replace("METHODS", methods) for text in (DEEP_SEA, ATARI)]
    car = "{family: classic_control, task: mountain_car_continuous, episode_steps: 60}"
    for environment, algorithms in (("{family: deep_sea, size: 8, deterministic: false}", DISCRETE), (car, CONTINUOUS)):
        learners = ", ".join(
            f"{name}_{bonus}: {{{reward}algorithm: {{name: {name}, {settings}}}}}"
            for name, settings in algorithms.items()
            for bonus, reward in BONUSES.items()
        )
        found.append(LEARNERS.replace("ENVIRONMENT", environment).replace("METHODS", f"{{{learners}}}"))
    found += [FAMILY.replace("ENVIRONMENT", environment) for environment in FAMILIES]
    cells = FAMILY.replace("ENVIRONMENT", ENVIRONMENTS["minigrid"])
    both = (*CURIOSITY, *EPISODIC)
    for text, names in ((DEEP_SEA, both), (cells, both), (SAC, ON_SAC)):
        head, _, rest = text.partition("methods:")
        found.append(f"{head}methods: {_added(names)}\nseeds:{rest.partition('seeds:')[2]}")
    return [*found, SAC]


def specs() -> list[RunSpec]:
    """Every case."""
    found: list[RunSpec] = []
    with tempfile.TemporaryDirectory() as folder:
        for text in suites():
            file = Path(folder) / "suite.yaml"
            file.write_text(text)
            found += load(file).runs
    return found


def run(spec: RunSpec, results: Path, device: str = "cpu") -> None:
    """Train in this process."""
    from harness.training.run import train

    train(spec, results, device=device)


def run_and_kill(spec: RunSpec, results: Path, rng: random.Random, train: Train, *, while_saving: bool) -> str | None:
    """Train in another process and kill it; says when, or ``None`` if it finished first."""
    folder = RunFolder.of(spec, results)
    before = _progress(folder)
    process = _FORKSERVER.Process(target=train, args=(spec, results))
    process.start()
    try:
        while process.is_alive() and _progress(folder) == before:
            time.sleep(0.002)
        deadline = time.monotonic() + rng.uniform(0, 1.0)
        while process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.001)
        if while_saving:
            while process.is_alive() and not _saving(folder.checkpoint):
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, 0.004))
        if process.exitcode is not None:
            return None
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.join()
    return "while saving" if _saving(folder.checkpoint) else "between"


def differences(one: RunFolder, other: RunFolder) -> list[str]:
    """What two finished runs of the same spec do not share, times aside."""
    found = []
    for name in ("progress", "evaluations"):
        tables = [read_csv_rows(getattr(folder, f"{name}_file")) for folder in (one, other)]
        for _, rows in tables:
            for row in rows:
                for column in ("time/time_elapsed", "time/fps"):
                    row.pop(column, None)
        if tables[0] != tables[1] or not tables[0][1]:
            found.append(f"{name}.csv")
    visits = [read_text(folder.path / VISITS_FILE) for folder in (one, other)]
    if visits[0] != visits[1]:
        found.append(VISITS_FILE)
    states = [_final_state(folder) for folder in (one, other)]
    if states[0] != states[1]:
        found.append("the last checkpoint")
    return found


def _final_state(folder: RunFolder) -> tuple[Any, bytes]:
    (checkpoint,) = folder.checkpoint.glob("step-*")
    state = json.loads((checkpoint / "state.json").read_text())
    del state["state"]["seconds"]
    return state, (checkpoint / "tensors.safetensors").read_bytes()


def _progress(folder: RunFolder) -> int:
    try:
        return folder.progress_file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _saving(checkpoint: Path) -> bool:
    try:
        return any(entry.name.startswith(TEMPORARY) for entry in checkpoint.iterdir())
    except FileNotFoundError:
        return False


def check(spec: RunSpec, results: Path, kills: int, rng: random.Random, train: Train = run) -> tuple[bool, str]:
    """Compare an unbroken run of ``spec`` with one that is killed ``kills`` times.

    Args:
        spec: The run.
        results: Where both go.
        kills: How often.
        rng: Draws the instants.
        train: Trains a run in a new process.
    """
    whole, broken = results / "whole", results / "broken"
    name = f"{spec.environment.family:15} {spec.method:21}"
    if not _finishes(train, spec, whole):
        return False, f"{name} fails without any kill"
    when = []
    while len(when) < kills:
        instant = run_and_kill(spec, broken, rng, train, while_saving=len(when) % 2 == 1)
        if instant is None:
            break
        when.append(instant)
    killed = f"{name} killed {len(when)} times ({when.count('while saving')} while saving)"
    if not _finishes(train, spec, broken):
        return False, f"{killed}: fails when it is resumed"
    found = differences(RunFolder.of(spec, whole), RunFolder.of(spec, broken))
    attempts = RunFolder.of(spec, broken).read().status.attempts
    return not found, f"{killed}, {attempts} attempts: {'differs in ' + ', '.join(found) if found else 'equal'}"


def _finishes(train: Train, spec: RunSpec, results: Path) -> bool:
    """Train to the end in a new process; whether that succeeds."""
    process = _FORKSERVER.Process(target=train, args=(spec, results))
    process.start()
    process.join()
    return process.exitcode == 0


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills over all cases (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the instants (default 0)")
    parser.add_argument("--only", default="", help="only cases whose family and method contain this")
    arguments = parser.parse_args()
    cases = [spec for spec in specs() if arguments.only in f"{spec.environment.family} {spec.method}"]
    rng, unequal, started = random.Random(arguments.seed), 0, os.times()
    for number, spec in enumerate(cases):
        kills = arguments.kills // len(cases) + (number < arguments.kills % len(cases))
        with tempfile.TemporaryDirectory() as folder:
            equal, line = check(spec, Path(folder), kills, rng)
        print(line, flush=True)
        unequal += not equal
    print(f"{len(cases)} cases, {len(cases) - unequal} equal; {os.times().elapsed - started.elapsed:.0f} s")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
