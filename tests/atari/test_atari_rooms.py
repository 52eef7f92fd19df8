"""Where Montezuma's Revenge is played in training: rooms on the pyramid of the first level."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.montezuma import TO_THE_SECOND_ROOM
from support.specs import make_spec

from harness.environments.places import NOWHERE
from harness.registry import installed
from harness.report.document import FigureBlock
from harness.report.figures import render_files
from harness.report.inputs import ReportInputs
from harness.report.sections import visits
from harness.runs.folder import RunFolder
from harness.runs.visits import read_visits
from harness.training.run import train
from harness_atari.config import AtariConfig
from harness_atari.env import AtariVecEnv
from harness_atari.rooms import CELLS, FOLLOWED, GAMES_FOR_EACH, PYRAMID, followed_games


@contextmanager
def games(n_envs: int, **settings: Any) -> Iterator[AtariVecEnv]:
    env = AtariVecEnv(AtariConfig(game="montezuma_revenge", **settings), n_envs)
    try:
        yield env
    finally:
        env.close()


def test_rooms_form_the_published_pyramid() -> None:
    assert PYRAMID.walls is not None
    assert (~PYRAMID.walls).sum(axis=1).tolist() == [3, 5, 7, 9]
    places = {room: divmod(int(cell), PYRAMID.columns) for room, cell in enumerate(CELLS)}
    assert len(places) == 24
    assert {room: places[room] for room in (0, 1, 2, 3, 5, 11, 15, 19, 23)} == {
        0: (0, 3),
        1: (0, 4),
        2: (0, 5),
        3: (1, 2),
        5: (1, 4),
        11: (2, 4),
        15: (3, 0),
        19: (3, 4),
        23: (3, 8),
    }
    assert not PYRAMID.walls.ravel()[CELLS].any()


@pytest.mark.parametrize(("n_envs", "followed"), [(1, 1), (7, 1), (8, 1), (16, 2), (31, 3), (32, 4), (128, FOLLOWED)])
def test_one_game_in_eight_is_followed(n_envs: int, followed: int) -> None:
    assert followed_games(n_envs) == followed


def test_the_left_door_leads_to_the_left_of_the_map_and_the_next_episode_begins_in_the_middle() -> None:
    steps, n_envs = len(TO_THE_SECOND_ROOM), 2 * GAMES_FOR_EACH
    actions = np.zeros((steps, n_envs), dtype=np.int64)
    actions[:, 0] = [int(action, 16) for action in TO_THE_SECOND_ROOM]
    with games(n_envs, sticky=0, episode_steps=steps) as env:
        assert env.follow_places() is PYRAMID
        env.reset()
        told = []
        for row in [*actions, actions[0]]:
            env.step(row)
            told.append(env.places())
    assert np.stack(told)[:, 0].tolist()[:50] == [CELLS[1]] * 50
    assert told[-2].tolist() == [CELLS[0], CELLS[1], *[NOWHERE] * (n_envs - 2)]  # the last place of the episode
    assert told[-1][0] == CELLS[1]


def test_following_changes_no_number_through_sticky_actions_idle_frames_and_ends() -> None:
    rows = []
    for follow in (False, True):
        with games(3, episode_steps=25, noop_max=8) as env:
            if follow:
                env.follow_places()
            env.reseed([3, 4, 5])
            seen = [env.reset().copy()]
            random = np.random.default_rng(0)
            for _ in range(60):
                observations, rewards, dones, _ = env.step(random.integers(0, 18, 3))
                seen += [observations, rewards, dones]
                assert not follow or ((env.places() != NOWHERE) == [True, False, False]).all()
        rows.append(seen)
    assert all(map(np.array_equal, *rows))


def test_a_game_whose_copy_goes_astray_is_nowhere_and_the_others_are_told() -> None:
    n_envs = 2 * GAMES_FOR_EACH
    with games(n_envs, sticky=0, episode_steps=400) as env:
        env.follow_places()
        env.reset()
        assert env._rooms
        env._rooms._mirrors[1].step = lambda action: (100, False)  # type: ignore[method-assign]  # a reward of its own
        env.step(np.zeros(n_envs, dtype=np.int64))
        env.step(np.zeros(n_envs, dtype=np.int64))
        assert env.places().tolist() == [CELLS[1], *[NOWHERE] * (n_envs - 1)]
        with pytest.raises(RuntimeError, match="before the first reset"):
            env.follow_places()


def test_other_games_have_no_map() -> None:
    env = AtariVecEnv(AtariConfig(game="breakout"), 1)
    assert env.follow_places() is None
    env.close()


@pytest.mark.slow
def test_a_run_is_drawn_on_the_pyramid(tmp_path: Path) -> None:
    spec = make_spec(
        family="atari",
        environment={"game": "montezuma_revenge", "episode_steps": 30, "size": 36, "stack": 1},
        algorithm={"n_envs": 2, "n_steps": 10, "batch_size": 20, "n_epochs": 1},
        steps=200,
        evaluate_every=200,
        checkpoint_every=200,
    )
    train(spec, tmp_path, device="cpu")
    folder = RunFolder.of(spec, tmp_path)
    record = read_visits(folder, folder.read())
    assert record is not None
    counts = {cell: n for stretch in record.stretches for cell, n in zip(stretch.cells, stretch.visits, strict=True)}
    assert counts.keys() == {int(CELLS[1])}
    assert sum(n for stretch in record.stretches for n in stretch.visits) == 100  # of one of the two games
    (suite,) = ReportInputs([tmp_path], [], None, installed()).analyse().suites
    section = visits.build(suite)
    assert section is not None
    (plot,) = [block.plot for block in section.blocks if isinstance(block, FigureBlock)]
    assert "visits by step 200 (100%)" in render_files(plot)["svg"].decode()
