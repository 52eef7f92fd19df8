"""What random actions earn is a mean over episodes of which every environment plays as many."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import random_success
from gymnasium import spaces

from harness import NO_INFO, HarnessVecEnv
from harness.environments.base import episode_end_info
from harness.runs.files import read_csv_rows

SUITE = """\
suite: little
description: Two walks
environment: {family: deep_sea}
tasks:
  short: {environment: {size: 3}, normalise: {low: 0, high: 1, source: test}}
  long: {environment: {size: 12}, normalise: {low: 0, high: 1, source: test}}
algorithm: {name: ppo, n_envs: 4, n_steps: 20, batch_size: 40}
methods: {ppo: {}}
seeds: 2
steps: 800
evaluation: {every: 800, episodes: 4}
"""


class QuickAndSlow(HarnessVecEnv):
    """The first environment earns 1 in every step and ends at once; the second earns nothing for ten steps."""

    def __init__(self) -> None:
        super().__init__(2, spaces.Box(-1, 1, (1,), np.float32), spaces.Discrete(3))
        self._steps = 0

    def reset(self) -> np.ndarray:
        return np.zeros((2, 1), np.float32)

    def step_async(self, actions: np.ndarray) -> None:
        assert actions.min() >= 0 and actions.max() < 3
        self._steps += 1

    def step_wait(self):
        dones = np.array([True, self._steps % 10 == 0])
        infos = [NO_INFO, NO_INFO]
        for i in np.flatnonzero(dones):
            infos[i] = episode_end_info(np.zeros(1), truncated=False, metrics={"success": float(i == 0)})
        return np.zeros((2, 1), np.float32), np.array([1, 0], np.float32), dones, infos

    def close(self) -> None:
        pass


def test_short_episodes_count_no_more_than_long_ones():
    episodes = random_success.play(QuickAndSlow(), 8)
    summary = random_success.summarise(episodes)
    assert [episode.length for episode in episodes] == [1] * 4 + [10] * 4
    assert (summary.success, summary.mean_return, summary.episodes, summary.mean_length) == (0.5, 0.5, 8, 5.5)
    assert summary.counted == "success"


def test_actions_are_drawn_from_the_whole_space():
    rng = np.random.default_rng(0)
    drawn = random_success.draw_actions(spaces.Discrete(4), 1000, rng)
    assert np.unique(drawn, return_counts=True)[1].min() > 200 and drawn.max() == 3
    box = random_success.draw_actions(spaces.Box(-2, 2, (3,), np.float32), 1000, rng)
    assert box.shape == (1000, 3) and box.dtype == np.float32 and abs(box.mean()) < 0.2 and box.max() > 1.9


def test_a_suite_is_measured_and_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    suite = tmp_path / "little.yaml"
    suite.write_text(SUITE)
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", ["random_success", str(suite), "--episodes", "40", "--envs", "4"])
        random_success.main()
    header, rows = read_csv_rows(tmp_path / random_success.TABLE)
    assert tuple(header) == random_success.COLUMNS
    assert [(row["task"], row["episodes"]) for row in rows] == [("long", "40"), ("short", "40")]
    assert float(rows[0]["success"]) == 0 and 0.02 < float(rows[1]["success"]) < 0.4  # 2**-12 and 1/8
    assert capsys.readouterr().out.count("| little | short | 40 |") == 2


TWO_VIEWS = """
suite: {name}
environment: {{family: atari, episode_steps: 60, {view}}}
tasks: {{pong: {{}}}}
algorithm: {{name: ppo, n_envs: 2, n_steps: 8, batch_size: 16}}
methods: {{ppo: {{}}}}
seeds: 1
steps: 16
evaluation: {{every: 16, episodes: 2}}
"""


def test_tasks_that_differ_in_what_a_learner_sees_share_their_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    views = {"rnd": "size: 84", "snd": "size: 96, resize: bicubic, reward_transform: positive_sign", "sure": "sticky: 0"}
    files = [tmp_path / f"{name}.yaml" for name in views]
    for file, (name, view) in zip(files, views.items(), strict=True):
        file.write_text(TWO_VIEWS.format(name=name, view=view))
    played, measure = [], random_success.measure
    monkeypatch.setattr(random_success, "measure", lambda *settings: played.append(settings) or measure(*settings))

    def rows_of(*suites: Path) -> list[dict[str, str]]:
        monkeypatch.setattr(sys, "argv", ["random_success", *map(str, suites), "--episodes", "2", "--envs", "2"])
        random_success.main()
        return read_csv_rows(tmp_path / random_success.TABLE)[1]

    together = rows_of(*files)
    assert len(played) == 2
    assert [row["suite"] for row in together] == ["rnd", "snd", "sure"]
    assert together[0]["settings"] != together[1]["settings"]
    for file in files:
        apart = rows_of(file)
    assert apart == together


def test_what_was_recorded_was_measured_with_the_settings_that_suites_have_now() -> None:
    """If one fails, measure its task again: benchmarks/random_success.py suites/SUITE.yaml --tasks TASK."""
    suites = Path(random_success.__file__).parents[1] / "suites"
    recorded = {(row["suite"], row["profile"], row["task"]): row for row in read_csv_rows(suites / random_success.TABLE)[1]}
    for suite, profile in sorted({key[:2] for key in recorded}):
        now = {
            task: random_success.settings_digest(environment)
            for _, task, environment in random_success.tasks_of(suites / f"{suite}.yaml", profile or None, ())
        }
        then = {task: row["settings"] for (_, _, task), row in recorded.items() if row["suite"] == suite}
        assert then.items() <= now.items(), suite
