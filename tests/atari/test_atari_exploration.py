"""What evaluation counts in an episode of a real game: cells from its frames, rooms from its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ale_py import ALEInterface, roms
from support.montezuma import TO_THE_SECOND_ROOM
from support.specs import make_spec

from harness import HarnessVecEnv
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.training.run import train
from harness_atari import exploration
from harness_atari.cells import cells
from harness_atari.config import AtariConfig
from harness_atari.env import AtariVecEnv


@contextmanager
def measured(game: str = "breakout", n_envs: int = 2, **settings: Any) -> Iterator[AtariVecEnv]:
    env = AtariVecEnv(AtariConfig(game=game, **settings), n_envs)
    env.enable_metrics()
    try:
        yield env
    finally:
        env.close()


def actions_of(env: HarnessVecEnv, steps: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, env.action_space.n, (steps, env.num_envs))


def metrics_of_first_episodes(env: HarnessVecEnv, actions: np.ndarray) -> list[dict[str, float]]:
    """The metrics of every game's first episode."""
    first: list[dict[str, float]] = [{}] * env.num_envs
    env.reset()
    for row in actions:
        for index, info in enumerate(env.step(row)[3]):
            first[index] = first[index] or info.get("metrics", {})
    return first


@pytest.mark.parametrize(
    "settings",
    [{"size": 96}, {"episode_steps": 30}, {"episode_steps": 30, "grayscale": False, "stack": 2}],
    ids=["whole_games", "cut", "colour"],
)
def test_cells_are_those_of_all_newest_frames_from_the_first_to_the_last(settings: dict):
    """Counted again from outside, over several episodes of each game."""
    episodes = 0
    with measured(**settings) as env:
        env.reseed([1, 2])
        seen = [{newest(env, observation)} for observation in env.reset()]
        for actions in actions_of(env, 400):
            observations, _, dones, infos = env.step(actions)
            for index in range(2):
                last = infos[index].get("terminal_observation", observations[index])
                seen[index].add(newest(env, last))
                if dones[index]:
                    assert infos[index]["metrics"] == {"cells": len(seen[index])}
                    seen[index] = {newest(env, observations[index])}
                    episodes += 1
    assert episodes >= 2


def newest(env: HarnessVecEnv, observation: np.ndarray) -> bytes:
    return cells(observation[None, -(env.frame_channels or 0) :])[0]


def test_moving_through_a_maze_visits_more_cells_than_standing_still():
    with measured("montezuma_revenge", sticky=0, episode_steps=100) as env:
        env.reseed([1, 1])
        actions = np.zeros((100, 2), dtype=np.int64)
        actions[:, 1] = [int(action, 16) for action in TO_THE_SECOND_ROOM[:100]]
        idle, moving = metrics_of_first_episodes(env, actions)
        assert 1 <= idle["cells"] < moving["cells"] / 2


def test_a_frame_that_stays_is_one_cell():
    with measured(sticky=0, episode_steps=20) as env:  # Breakout's ball is not served
        assert metrics_of_first_episodes(env, np.zeros((20, 2), dtype=np.int64)) == [{"cells": 1}] * 2


def test_montezuma_begins_in_room_one_and_the_left_door_leads_to_a_second():
    actions = np.zeros((len(TO_THE_SECOND_ROOM), 2), dtype=np.int64)
    actions[:, 0] = [int(action, 16) for action in TO_THE_SECOND_ROOM]
    with measured("montezuma_revenge", sticky=0, episode_steps=len(actions)) as env:
        assert env._exploration
        env.reset()
        assert env._exploration._mirrors[0].ram()[3] == 1
        for row in actions:
            infos = env.step(row)[3]
        assert [info["metrics"]["rooms"] for info in infos] == [2, 1]
        infos = [env.step(row)[3] for row in np.zeros((len(actions), 2), dtype=np.int64)][-1]
        assert [info["metrics"]["rooms"] for info in infos] == [1, 1]


def test_a_row_in_the_table_is_all_that_a_metric_in_memory_needs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(exploration.RAM_METRICS, "breakout", {"places": 99, "paddles": 72})
    with measured(n_envs=1, sticky=0, episode_steps=40) as env:
        actions = actions_of(env, 40)
        env.reseed([4])
        (metrics,) = metrics_of_first_episodes(env, actions)
    memories = memories_of_breakout(actions[:, 0], seed=4)
    assert metrics["places"] == len(set(memories[:, 99].tolist()))
    assert metrics["paddles"] == len(set(memories[:, 72].tolist())) > 5


def memories_of_breakout(actions: np.ndarray, seed: int) -> np.ndarray:
    ale = ALEInterface()
    ale.setInt("random_seed", seed)
    ale.setFloat("repeat_action_probability", 0)
    ale.loadROM(str(roms.get_rom_path("breakout")))
    ale.reset_game()
    memories = [ale.getRAM()]
    for action in actions:
        for _ in range(4):
            ale.act(ale.getMinimalActionSet()[action])
        memories.append(ale.getRAM())
    return np.stack(memories)


def test_reading_from_another_game_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(exploration.RAM_METRICS, "breakout", {"places": 99})
    with measured() as env:
        assert env._exploration
        env.reset()
        env._exploration._mirrors[1].step(3)
        with pytest.raises(RuntimeError, match="played different games"):
            for actions in actions_of(env, 400):
                env.step(actions)


def test_nothing_is_measured_unless_asked_for():
    env = AtariVecEnv(AtariConfig(game="montezuma_revenge", episode_steps=2), 1)
    env.reset()
    infos = [env.step(np.zeros(1, dtype=np.int64))[3][0] for _ in range(2)]
    assert infos[1] and "metrics" not in infos[1]
    with pytest.raises(RuntimeError, match="before the first reset"):
        env.enable_metrics()
    env.close()


@pytest.mark.parametrize("game", ["montezuma_revenge", "pitfall"])
def test_measuring_changes_no_number(game: str):
    rows = []
    for measure in (False, True):
        env = AtariVecEnv(AtariConfig(game=game, episode_steps=15), 2)
        if measure:
            env.enable_metrics()
        env.reseed([1, 2])
        rows.append([env.reset(), *(array for actions in actions_of(env, 40) for array in env.step(actions)[:3])])
        env.close()
    assert all(np.array_equal(one, other) for one, other in zip(*rows, strict=True))


@pytest.mark.parametrize(
    ("game", "columns"),
    [("montezuma_revenge", ["cells", "rooms"]), pytest.param("venture", ["cells"], marks=pytest.mark.slow)],
    ids=str,
)
def test_a_run_writes_them_for_every_evaluated_episode(game: str, columns: list[str], tmp_path: Path):
    spec = make_spec(
        family="atari",
        environment={"game": game, "episode_steps": 20},
        algorithm={"n_envs": 2, "n_steps": 8, "batch_size": 16, "n_epochs": 1},
        steps=16,
        evaluate_every=16,
        checkpoint_every=16,
    )
    train(spec, tmp_path, device="cpu")
    header, rows = read_csv_rows(RunFolder.of(spec, tmp_path).evaluations_file)
    assert header[-len(columns) - 1 :] == ["length", *columns]
    assert len(rows) >= 3
    for row in rows:
        assert 1 <= float(row["cells"]) <= float(row["length"]) + 1
        assert float(row.get("rooms", 1)) == 1
