"""Where a run went: counted as steps were taken, the same after any interruption, and without a trace on what is learned."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.specs import make_spec

from harness.config import EnvironmentConfig
from harness.environments.base import HarnessVecEnv
from harness.environments.places import PlaceMap
from harness.errors import RunError
from harness.registry import installed
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.visits import MARKS, VisitRecord, read_visits
from harness.spec import AlgorithmSpec, RunSpec
from harness.training.checkpoints import load, save
from harness.training.run import train
from harness_deep_sea.environment import DeepSeaVecEnv

SMALL_RND = {"warm_up_steps": 3, "feature_dim": 16, "hidden": [16], "epochs": 1, "minibatches": 1}
SHORT: dict[str, Any] = {"steps": 800, "evaluate_every": 400, "checkpoint_every": 160}


def visits_of(spec: RunSpec, results: Path) -> VisitRecord:
    folder = RunFolder.of(spec, results)
    found = read_visits(folder, folder.read())
    assert found is not None
    return found


def stopped_after(n: int, spec: RunSpec, results: Path) -> None:
    """Train for n iterations and save."""
    looks = iter(range(n))
    train(spec, results, stop=lambda: next(looks, None) is None)


@pytest.mark.parametrize("mode", [pytest.param("sum", marks=pytest.mark.slow), "two_critics"])
def test_every_step_of_training_is_counted_with_its_bonus(tmp_path: Path, mode: str) -> None:
    spec = make_spec(**SHORT, reward="rnd", config=SMALL_RND, combine={"mode": mode})
    train(spec, tmp_path)
    found = visits_of(spec, tmp_path)
    assert [stretch.mark for stretch in found.stretches] == list(MARKS)
    assert [stretch.last_step for stretch in found.stretches] == [80, 320, 400, 720, 800]
    assert [stretch.first_step for stretch in found.stretches] == [0, 80, 320, 400, 720]
    for stretch in found.stretches:  # of six steps of an episode one leads nowhere
        assert sum(stretch.visits) == pytest.approx((stretch.last_step - stretch.first_step) * 5 / 6, abs=4)
        assert stretch.bonus is not None
        assert min(stretch.bonus) > 0
    _, rows = read_csv_rows(RunFolder.of(spec, tmp_path).progress_file)
    logged = [float(row["intrinsic/bonus_mean"]) for row in rows]
    first = found.stretches[0]
    assert first.bonus is not None
    told = np.average(first.bonus, weights=first.visits)
    assert told == pytest.approx(logged[0], rel=0.5)  # the last row's observation, all zeros, is not on the map
    assert all(cell // 6 >= cell % 6 for stretch in found.stretches for cell in stretch.cells)  # below the diagonal
    assert found.map.walls == [6 * row + column for row in range(6) for column in range(row + 1, 6)]


def test_counts_of_an_interrupted_run_are_those_of_an_unbroken_one(tmp_path: Path) -> None:
    spec = make_spec(**SHORT, reward="rnd", config=SMALL_RND)
    train(spec, tmp_path / "whole")
    for iterations in (3, 4):
        stopped_after(iterations, spec, tmp_path / "broken")
    train(spec, tmp_path / "broken")
    files = [RunFolder.of(spec, tmp_path / name).path / "visits.json" for name in ("whole", "broken")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size < 5000


@pytest.mark.slow
def test_what_is_learned_does_not_depend_on_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(**SHORT, reward="rnd", config=SMALL_RND)
    train(spec, tmp_path / "counted")
    monkeypatch.setattr(DeepSeaVecEnv, "follow_places", HarnessVecEnv.follow_places)
    train(spec, tmp_path / "not")
    tables, states = [], []
    for name in ("counted", "not"):
        folder = RunFolder.of(spec, tmp_path / name)
        _, rows = read_csv_rows(folder.progress_file)
        times = ("time/time_elapsed", "time/fps")
        tables.append([{key: value for key, value in row.items() if key not in times} for row in rows])
        tables.append(read_csv_rows(folder.evaluations_file))
        found = load(folder.checkpoint)
        assert found is not None
        states.append({name: str(value) for name, value in found[1].items() if name not in ("visits", "seconds")})
    assert tables[:2] == tables[2:]
    assert states[0] == states[1]
    assert not (RunFolder.of(spec, tmp_path / "not").path / "visits.json").exists()


@pytest.mark.slow
def test_a_checkpoint_without_counts_goes_on_without_a_map(tmp_path: Path) -> None:
    spec = make_spec(**SHORT)
    stopped_after(3, spec, tmp_path)
    folder = RunFolder.of(spec, tmp_path)
    assert visits_of(spec, tmp_path).stretches[0].bonus is None
    found = load(folder.checkpoint)
    assert found is not None
    step, tree = found
    del tree["visits"]
    save(folder.checkpoint, step, tree)
    assert train(spec, tmp_path).state == "finished"
    assert read_visits(folder, folder.read()) is None
    kept = load(folder.checkpoint)
    assert kept is not None
    assert "visits" not in kept[1]


@pytest.mark.slow
def test_visits_of_off_policy_runs_have_no_bonus(tmp_path: Path) -> None:
    known = installed()
    algorithm = {"n_envs": 2, "buffer_size": 200, "learning_starts": 20, "batch_size": 8, "net_arch": [8], "log_every": 20}
    spec = make_spec(
        family="classic_control", environment={"task": "mountain_car_continuous", "episode_steps": 30}, reward="rnd",
        config=SMALL_RND, combine={"mode": "sum"}, steps=120, evaluate_every=120, checkpoint_every=60,
    )  # fmt: skip
    config = known.config_class(known.algorithm("sac")).model_validate(algorithm).model_dump(mode="json")
    spec = spec.model_copy(update={"algorithm": AlgorithmSpec(name="sac", config=config)})
    train(spec, tmp_path)
    found = visits_of(spec, tmp_path)
    assert sum(sum(stretch.visits) for stretch in found.stretches) == 120
    assert all(stretch.bonus is None for stretch in found.stretches)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("follow_places", "a map", "follow_places() returned str, where a PlaceMap or None is due"),
        ("follow_places", PlaceMap(2, 2, "x" * 41), "row_axis: String should have at most 40 characters"),
        ("places", np.zeros(4), "places() returned array([0., 0., 0., 0.]), where int64 (4,) is due"),
        ("places", np.full(4, 36), "places() returned 36, where the map's last cell is 35"),
    ],
)
def test_a_family_that_tells_nonsense_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, answer: Any, message: str
) -> None:
    monkeypatch.setattr(DeepSeaVecEnv, name, lambda self: answer)
    with pytest.raises(RunError, match=re.escape(f"DeepSeaVecEnv.{name}() returned")) as raised:
        train(make_spec(steps=80, evaluate_every=80, checkpoint_every=80), tmp_path)
    assert message in str(raised.value)


def environments(family: str, settings: dict[str, Any], n_envs: int) -> HarnessVecEnv:
    known = installed()
    description = known.environment(family)
    config = known.config_class(description).model_validate(settings)
    assert isinstance(config, EnvironmentConfig)
    return known.load(description.make)(config, n_envs, threads=1)


def test_places_of_a_car_are_those_of_its_state() -> None:
    env = environments("classic_control", {"task": "mountain_car", "scaled": False, "episode_steps": 40}, 5)
    try:
        place_map = env.follow_places()
        assert place_map is not None
        env.reseed(range(5))
        env.reset()
        ended = 0
        for t in range(60):
            observations, _, dones, infos = env.step(np.full(5, 2 * (t % 30 > 15)))
            seen = np.stack([infos[i]["terminal_observation"] if dones[i] else observations[i] for i in range(5)])
            columns, rows = np.floor((seen[:, 0] + 1.2) / 0.09), np.floor((0.07 - seen[:, 1]) / 0.007)
            distance = np.abs(np.stack([env.places() % 20 - columns, env.places() // 20 - rows]))
            assert distance.max() <= 1  # rounding at the edge of a cell
            assert (distance > 0).mean() < 0.2
            ended += dones.sum()
        assert ended
    finally:
        env.close()


@pytest.mark.parametrize("engine", ["envpool", "minigrid"])
def test_places_in_a_grid_world_are_followed_step_by_step(engine: str) -> None:
    """The way through an empty room: forward, right turn, forward, with the goal as the last place of the episode."""
    env = environments("minigrid", {"task": "Empty-5x5", "engine": engine}, 1)
    try:
        assert env.follow_places() is not None
        env.reseed([0])
        env.reset()
        told = []
        for action in (2, 2, 1, 2, 2):
            _, rewards, dones, _ = env.step(np.array([action]))
            told.append(divmod(int(env.places()[0]), 25))
        assert told == [(1, 2), (1, 3), (1, 3), (2, 3), (3, 3)]
        assert dones[0]
        assert rewards[0] > 0
    finally:
        env.close()


def test_places_in_a_maze_are_parts_of_its_cells() -> None:
    env = environments("mazes", {"task": "point_umaze"}, 3)
    try:
        place_map = env.follow_places()
        assert place_map is not None
        assert place_map.walls is not None
        env.reseed(range(3))
        env.reset()
        env.action_space.seed(0)
        for _ in range(100):
            observations, _, dones, _ = env.step(np.stack([env.action_space.sample() for _ in range(3)]))
            rows, columns = np.divmod(env.places(), place_map.columns)
            assert not place_map.walls[rows, columns].any()
            x, y = (columns + 0.5) / 4 - 2.5, 2.5 - (rows + 0.5) / 4
            off = np.abs(observations[:, :2] - np.stack([x, y], axis=1))
            assert off[~dones].max(initial=0) <= 0.126
    finally:
        env.close()
