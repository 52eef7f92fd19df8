"""MyWayHome is ViZDoom's: the same seed begins at the same place, and the same actions show the same images up to the vest.

One who knows the map walks through the original; the harness must follow step by step and be paid at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.episodes import first_episodes

from harness.environments.envpool import EnvPoolTask
from harness_vizdoom import environment
from harness_vizdoom.config import VizDoomConfig
from harness_vizdoom.environment import BUTTONS, make

pytestmark = pytest.mark.slow
vizdoom = pytest.importorskip("vizdoom", reason="pip install 'vizdoom>=1.3'")
TASKS = ("my_way_home", "my_way_home_sparse", "my_way_home_very_sparse")
FORWARD, RIGHT, LEFT = 1, 2, 3
GRID, WIDTH = 16, 26  # Doom's units: of the net that ways are searched on, and that a walker keeps from walls
SEEDS = range(6)


@pytest.fixture
def world_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the map lies that the harness has its engine play."""
    kept = tmp_path / "played.wad"

    def noted(env_id: str, options: dict[str, Any] | None = None) -> EnvPoolTask:
        if options and "wad_path" in options:
            shutil.copy(options["wad_path"], kept)
        return EnvPoolTask(env_id, options or {})

    monkeypatch.setattr(environment, "EnvPoolTask", noted)
    return kept


def game_of(world: Path, seed: int, folder: Path) -> Any:
    """ViZDoom's own game with its own configuration of MyWayHome."""
    game = vizdoom.DoomGame()
    game.load_config(str(Path(vizdoom.scenarios_path) / "my_way_home.cfg"))
    game.set_doom_scenario_path(str(world))
    game.set_doom_config_path(str(folder / "vizdoom.ini"))
    game.set_window_visible(False)
    game.set_screen_format(vizdoom.ScreenFormat.GRAY8)
    for variable in ("POSITION_X", "POSITION_Y", "ANGLE"):
        game.add_available_game_variable(getattr(vizdoom.GameVariable, variable))
    game.set_objects_info_enabled(True)
    game.set_sectors_info_enabled(True)
    game.set_seed(seed)
    game.init()
    return game


@pytest.mark.parametrize("task", TASKS)
def test_one_who_knows_the_map_finds_the_vest_in_both(task: str, tmp_path: Path, world_of: Path):
    import cv2

    config = VizDoomConfig(task=task, stack=1)  # type: ignore[arg-type]
    first, _ = first_episodes(make(config, len(SEEDS)), list(SEEDS), np.zeros((0, len(SEEDS)), int))
    world = Path(vizdoom.scenarios_path) / "my_way_home.wad" if task == "my_way_home" else world_of
    found = 0
    for seed, start in zip(SEEDS, first, strict=True):
        game = game_of(world, seed, tmp_path)
        assert game.get_episode_timeout() == config.episode_steps * config.frame_skip
        images, rewards, actions = [game.get_state().screen_buffer], [], []
        for action in walk(game):
            actions.append(action)
            rewards.append(game.make_action(BUTTONS[action].tolist(), config.frame_skip))
            vest = game.is_episode_finished() and len(rewards) < config.episode_steps
            if not game.is_episode_finished():
                images.append(game.get_state().screen_buffer)
        game.close()
        _, [episode] = first_episodes(make(config, 1), [seed], np.array(actions)[:, None])
        shown = [start, *(step.observation for step in episode)]
        resized = [cv2.resize(image, (84, 84), interpolation=cv2.INTER_AREA).astype(int) for image in images]
        # The light of one room and the vest flicker by another clock; where nothing flickers images are the same.
        assert np.median([np.abs(theirs - ours[0]).mean() for ours, theirs in zip(shown, resized, strict=False)]) < 0.5
        # The original may pay for the vest a step before the game ends, within whose first tic it then does.
        assert np.allclose([step.reward for step in episode[:-2]], rewards[:-2], atol=1e-6)
        assert sum(step.reward for step in episode) == pytest.approx(sum(rewards), abs=0.001)
        assert episode[-1].terminated == vest and not any(step.terminated for step in episode[:-1])
        found += vest
    assert found >= 0.95 * len(SEEDS)


def walk(game: Any) -> Iterator[int]:
    """Actions on a shortest way to the vest, each given the game's state after the one before."""
    state = game.get_state()
    vest = next(np.array([it.position_x, it.position_y]) for it in state.objects if "Armor" in it.name)
    walls = np.array([(w.x1, w.y1, w.x2, w.y2) for room in state.sectors for w in room.lines if w.is_blocking])
    following = ways_to(vest, walls)
    for _ in range(500):
        if game.is_episode_finished():
            return
        x, y, angle = game.get_state().game_variables[-3:]
        node = min(following, key=lambda cell: (cell[0] * GRID - x) ** 2 + (cell[1] * GRID - y) ** 2)
        for _ in range(3):
            node = following[node]
        turn = (np.degrees(np.arctan2(node[1] * GRID - y, node[0] * GRID - x)) - angle + 180) % 360 - 180
        yield FORWARD if abs(turn) < 15 else LEFT if turn > 0 else RIGHT


def ways_to(goal: np.ndarray, walls: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    """For each node of a net the next one on a shortest way to the goal that keeps clear of walls."""
    end = (round(float(goal[0]) / GRID), round(float(goal[1]) / GRID))
    following, heap = {}, [(0.0, end, end)]
    while heap:
        cost, node, after = heappop(heap)
        if node in following:
            continue
        following[node] = after
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            to = (node[0] + dx, node[1] + dy)
            if to not in following and clear(np.array(to) * GRID, walls):
                heappush(heap, (cost + float(np.hypot(dx, dy)), to, node))
    return following


def clear(place: np.ndarray, walls: np.ndarray) -> bool:
    """Whether no wall is within the width of a walker."""
    start, along = walls[:, :2], walls[:, 2:] - walls[:, :2]
    share = np.clip(((place - start) * along).sum(1) / np.maximum((along**2).sum(1), 1e-9), 0, 1)
    return bool((np.linalg.norm(start + share[:, None] * along - place, axis=1) > WIDTH).all())
