"""Measures what random actions earn in the tasks of suites, and records it in ``random_success.csv`` beside them.

    python benchmarks/random_success.py suites/minigrid.yaml
    python benchmarks/random_success.py suites/atari_hard.yaml --episodes 40 --envs 8 --profile smoke

Actions are drawn uniformly. Every environment plays the same number of whole episodes, so that short ones, which are often the
solved ones, do not count more than long ones. Returns are the environment's own, untransformed. ``success`` is the share of
episodes with the metric of that name; tasks without it have the share of episodes with a positive return, and ``counted`` says
which. The seeds are those of evaluation. Tasks have the settings of the suite, or of a profile, which may cut episodes. Suites
that are measured together share the episodes of tasks that differ only in what a learner sees, such as the size of images.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from gymnasium import spaces

from harness import HarnessVecEnv
from harness.config import EnvironmentConfig
from harness.planning.load import load
from harness.registry import installed
from harness.runs.files import csv_text, read_csv_rows, write_text_atomic
from harness.spec import EnvironmentSpec, Purpose, derive_seeds

TABLE = "random_success.csv"
COLUMNS = (
    "suite",
    "profile",
    "task",
    "family",
    "settings",
    "episodes",
    "success",
    "counted",
    "mean_return",
    "standard_error",
    "mean_length",
    "date",
)


@dataclass(frozen=True)
class Episode:
    """A whole episode of random actions.

    Attributes:
        episode_return: Undiscounted sum of the environment's own rewards.
        length: Steps.
        success: As the task measures it, 0 or 1; ``None`` if it does not.
    """

    episode_return: float
    length: int
    success: float | None


@dataclass(frozen=True)
class Summary:
    """What many episodes come to.

    Attributes:
        episodes: Their number.
        success: Share of episodes with success.
        counted: ``success`` if the task measures it, ``positive return`` if not.
        mean_return: Mean return.
        standard_error: Of the mean return.
        mean_length: Mean number of steps.
    """

    episodes: int
    success: float
    counted: str
    mean_return: float
    standard_error: float
    mean_length: float


def draw_actions(space: spaces.Space, n_envs: int, rng: np.random.Generator) -> np.ndarray:
    """One uniformly drawn action for each environment."""
    if isinstance(space, spaces.Discrete):
        return rng.integers(int(space.start), int(space.start + space.n), n_envs)
    assert isinstance(space, spaces.Box)
    return rng.uniform(space.low, space.high, (n_envs, *space.shape)).astype(space.dtype)


def play(env: HarnessVecEnv, episodes: int, seed: int = 0) -> list[Episode]:
    """Whole episodes of random actions, as many in every environment.

    Args:
        env: The environments.
        episodes: How many at least, in all of them together.
        seed: Of levels and actions.
    """
    n_envs, each = env.num_envs, -(-episodes // env.num_envs)
    *seeds, own = derive_seeds(seed, Purpose.EVALUATION, 0, n_envs + 1)
    rng, played = np.random.default_rng(own), [[] for _ in range(n_envs)]
    returns, lengths = np.zeros(n_envs), np.zeros(n_envs, np.int64)
    env.enable_metrics()
    env.reseed(seeds)
    env.reset()
    while any(len(mine) < each for mine in played):
        _, rewards, dones, infos = env.step(draw_actions(env.action_space, n_envs, rng))
        returns += rewards
        lengths += 1
        for i in np.flatnonzero(dones).tolist():
            if len(played[i]) < each:
                success = infos[i].get("metrics", {}).get("success")
                played[i].append(Episode(float(returns[i]), int(lengths[i]), success))
            returns[i] = lengths[i] = 0
    return [episode for mine in played for episode in mine]


def summarise(episodes: list[Episode]) -> Summary:
    """Means over episodes."""
    returns = [episode.episode_return for episode in episodes]
    measured = [episode.success for episode in episodes if episode.success is not None]
    share = fmean(measured) if measured else fmean(one > 0 for one in returns)
    error = stdev(returns) / sqrt(len(returns)) if len(returns) > 1 else 0.0
    counted = "success" if measured else "positive return"
    return Summary(len(episodes), share, counted, fmean(returns), error, fmean(episode.length for episode in episodes))


def tasks_of(suite: Path, profile: str | None, names: Iterable[str]) -> Iterator[tuple[str, str, EnvironmentSpec]]:
    """Name of suite and task, and environment, of each task once."""
    wanted, seen = set(names), set()
    for spec in load(suite, profile=profile).runs:
        if spec.task not in seen and (not wanted or spec.task in wanted) and not spec.pretraining:
            seen.add(spec.task)
            yield spec.suite, spec.task, spec.environment


def settings_digest(environment: EnvironmentSpec) -> str:
    """Eight hexadecimal digits that stand for all settings of an environment."""
    return hashlib.sha256(json.dumps(environment.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:8]


def same_episodes(environment: EnvironmentSpec) -> str:
    """What decides what random actions earn: all settings but those of what a learner sees."""
    known = installed()
    model = known.config_class(known.environment(environment.family))
    assert issubclass(model, EnvironmentConfig)
    settings = {name: value for name, value in environment.config.items() if name not in model.learner_fields}
    return json.dumps([environment.family, settings], sort_keys=True)


def measure(environment: EnvironmentSpec, episodes: int, n_envs: int, threads: int) -> Summary:
    """Play one task."""
    known = installed()
    family = known.environment(environment.family)
    config = known.config_class(family).model_validate(environment.config)
    env: HarnessVecEnv = known.load(family.make)(config, n_envs, threads=threads)
    try:
        return summarise(play(env, episodes))
    finally:
        env.close()


def record(table: Path, row: dict[str, str]) -> None:
    """Write a row in place of the one of the same task and profile."""
    key = ("suite", "profile", "task")
    others = [other for other in read_csv_rows(table)[1] if any(other[name] != row[name] for name in key)]
    lines = sorted([one[name] for name in COLUMNS] for one in [row, *others])
    write_text_atomic(table, csv_text([COLUMNS, *lines]))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="+", type=Path, metavar="SUITE")
    parser.add_argument("--tasks", nargs="+", default=[], metavar="TASK", help="only these")
    parser.add_argument("--profile", help="scale of the suites")
    parser.add_argument("--episodes", type=int, default=200, help="least number for each task")
    parser.add_argument("--envs", type=int, default=20, help="environments that share them")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help=f"table to write; {TABLE} beside each suite by default")
    options = parser.parse_args()
    print("| suite | task | episodes | success | mean return | mean length |\n|---|---|---|---|---|---|")
    played: dict[str, Summary] = {}
    for file in options.suites:
        for suite, task, environment in tasks_of(file, options.profile, options.tasks):
            key = same_episodes(environment)
            if key not in played:
                played[key] = measure(environment, options.episodes, options.envs, options.threads)
            found = played[key]
            facts = (suite, options.profile or "", task, environment.family, settings_digest(environment), found.episodes)
            numbers = (found.mean_return, found.standard_error, found.mean_length)
            values = (*facts, f"{found.success:.4g}", found.counted, *(f"{number:.4g}" for number in numbers))
            row: dict[str, str] = dict(zip(COLUMNS, (*map(str, values), datetime.now(UTC).date().isoformat()), strict=True))
            record(options.out or file.parent / TABLE, row)
            mean = f"{found.mean_return:.4g} ± {found.standard_error:.2g}"
            cells = (suite, task, str(found.episodes), f"{100 * found.success:.3g} %", mean, f"{found.mean_length:.0f}")
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
