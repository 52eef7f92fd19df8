"""The labyrinth pays for its vest, begins where it should, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydantic import ValidationError

from harness_vizdoom import environment
from harness_vizdoom.config import START_SPOTS, VizDoomConfig
from harness_vizdoom.environment import make
from harness_vizdoom.scenario import with_fixed_start, with_start_spots, write_scenario

FORWARD, RIGHT = 1, 2

OWNER = """
import time
from harness_vizdoom.config import VizDoomConfig
from harness_vizdoom.environment import make

env = make(VizDoomConfig(task="my_way_home_sparse", size=36), 2)
env.reset()
print("begun", flush=True)
time.sleep(600)
"""

BESIDE_THREADS = """
import numpy
import scipy.linalg
from harness_vizdoom.config import VizDoomConfig
from harness_vizdoom.environment import make

for _ in range(10):
    scipy.linalg.lu(numpy.ones((400, 400)) @ numpy.ones((400, 400)))
    env = make(VizDoomConfig(task="my_way_home_sparse", size=36), 2)
    env.reset()
    env.close()
"""


def in_the_vests_room(monkeypatch: pytest.MonkeyPatch) -> VizDoomConfig:
    monkeypatch.setitem(START_SPOTS, "my_way_home_sparse", range(26, 27))
    return VizDoomConfig(task="my_way_home_sparse", episode_steps=100)


def test_the_vest_earns_one_and_terminates(monkeypatch: pytest.MonkeyPatch):
    env = make(in_the_vests_room(monkeypatch), 2)
    env.enable_metrics()
    env.reseed([5, 6])
    env.reset()
    rng, found, cut = np.random.default_rng(0), 0, 0
    for _ in range(400):
        _, rewards, dones, infos = env.step(rng.choice([FORWARD, FORWARD, RIGHT, 3], 2))
        for i in np.flatnonzero(dones):
            truncated = infos[i]["TimeLimit.truncated"]
            found, cut = found + (not truncated), cut + truncated
            assert rewards[i] == pytest.approx(-0.0004 if truncated else 0.9996)
            assert infos[i]["metrics"]["success"] == float(not truncated)
        assert np.allclose(rewards[~dones], -0.0004)
    env.close()
    assert found and cut


def test_games_begin_beside_threads_of_linear_algebra(tmp_path: Path):
    """OpenBLAS waits for its own threads when somebody forks, and for ever when two do so at once."""
    process = subprocess.Popen(
        [sys.executable, "-c", BESIDE_THREADS],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "3", "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    try:
        assert process.wait(120) == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def first_views(task: str, **settings: str) -> np.ndarray:
    """What walkers see at first, with three seeds."""
    env = make(VizDoomConfig(task=task, size=36, **settings), 3)
    env.reseed([1, 2, 3])
    views = env.reset()[:, 0].astype(float)
    env.close()
    return views


def apart(views: np.ndarray) -> float:
    """Mean difference of pixels between the first of some views and the others."""
    return float(np.abs(views[1:] - views[:1]).mean())


def test_fixed_starts_are_turned_one_way_and_another():
    sparse, very_sparse = (first_views(f"my_way_home_{task}") for task in ("sparse", "very_sparse"))
    drawn = first_views("my_way_home_sparse", start_direction="random")
    assert max(apart(sparse), apart(very_sparse)) < 0.5 * apart(drawn)
    assert apart(np.stack([sparse[0], very_sparse[0]])) > 2 * max(apart(sparse), apart(very_sparse))


def test_the_start_is_that_of_the_authors_maps(tmp_path: Path):
    """Their compiled scripts hold spot 15 and the fixed-point directions 0.49 and 0.51; and 0.0 to 0.01 at spot 10."""
    for spot, turns, bounds in ((15, (0.49, 0.51), (0x7D70, 0x828F)), (10, (0.0, 0.01), (0, 0x28F))):
        _, world = write_scenario(tmp_path, range(spot, spot + 1), grayscale=True, turns=turns)
        script = world.read_bytes()
        least, largest = (bound.to_bytes(4, "little") for bound in bounds)
        assert bytes([0xA7, spot, 0x19, 0]) in script
        assert b"\xa7\0\x03" + least + b"\x03" + largest + b"\x39\xf0\x24" in script
        assert len(script) == len(write_scenario(tmp_path, range(10, 27), grayscale=True)[1].read_bytes())


def test_a_direction_is_in_the_record_where_it_matters_only():
    assert "start_direction" not in VizDoomConfig(task="my_way_home").model_dump()
    sparse = VizDoomConfig(task="my_way_home_sparse").model_dump()
    assert sparse["start_direction"] == "fixed"
    assert VizDoomConfig.model_validate(sparse).start_turns == (0.0, 0.01)
    assert VizDoomConfig(task="my_way_home_sparse", start_direction="random").start_turns == (0.0, 1.0)
    with pytest.raises(ValidationError, match="begins in random directions"):
        VizDoomConfig(task="my_way_home", start_direction="fixed")


def test_directions_are_chosen_at_a_single_spot_of_a_known_map():
    with pytest.raises(ValueError, match="at a single spot"):
        with_fixed_start(b"", range(10, 12), (0.0, 0.01))
    with pytest.raises(ValueError, match="cannot be turned"):
        with_fixed_start(b"PWAD" + bytes(64), range(10, 11), (0.0, 0.01))


def test_a_reset_in_the_middle_begins_new_games():
    env = make(VizDoomConfig(task="my_way_home", size=36), 1)
    env.reseed([3])
    env.reset()
    for _ in range(5):
        env.step(np.array([FORWARD]))
    again = env.reset()
    assert np.array_equal(again[0, :1].repeat(4, axis=0), again[0]), "the stack holds images of the episode before"
    env.reseed([3])
    env.reset()
    assert np.array_equal(env.reset(), again), "seeds that follow from the last ones must be the same twice"
    env.close()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    env = make(VizDoomConfig(task="my_way_home_sparse", size=36), 2)
    env.reset()
    children = [child for child in psutil.Process().children() if child.name() == "vizdoom"]
    assert len(children) == 2
    env.close()
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_owner_left_is_cleared_by_the_next_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = make(VizDoomConfig(task="my_way_home_sparse", size=36), 1)
    mine.reset()
    own = engines(tmp_path)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
    )
    with owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"begun\n"
        left = engines(tmp_path) - own
        shared = [file for engine in left for file in shared_memory(engine)]
        owner.kill()
    assert len(left) == 2
    assert len(shared) == 6
    assert engines(tmp_path) == own | left

    make(VizDoomConfig(task="my_way_home_sparse", size=36), 1).reset()
    assert not any(engine.is_running() for engine in left)
    assert not any(file.exists() for file in shared)
    mine.step(np.array([FORWARD]))
    mine.close()


def engines(temporary: Path) -> set[psutil.Process]:
    """The processes of Doom whose folders are in a folder for temporary ones."""
    found = [process for process in psutil.process_iter() if process.name() == "vizdoom"]
    return {process for process in found if process.is_running() and Path(process.cwd()).parent == temporary}


def shared_memory(engine: psutil.Process) -> list[Path]:
    """What it shares with its owner."""
    words = engine.cmdline()
    instance = words[words.index("+viz_instance_id") + 1]
    return list(Path("/dev/shm").glob(f"ViZDoom*{instance}"))


def test_only_the_range_of_starts_is_changed(tmp_path: Path):
    _, world = write_scenario(tmp_path, range(10, 27), grayscale=True)
    original = world.read_bytes()
    changed = with_start_spots(original, range(15, 16))
    assert len(changed) == len(original) and sum(a != b for a, b in zip(original, changed, strict=True)) == 2
    assert "screen_format = CRCGCB" in write_scenario(tmp_path, range(10, 27), grayscale=False)[0].read_text()


@pytest.mark.parametrize("places", [range(9, 11), range(26, 28), range(10, 10), range(10, 14, 2)])
def test_places_that_are_not_on_the_map_are_refused(places: range):
    with pytest.raises(ValueError, match="from 10 to 26"):
        with_start_spots(b"", places)


def test_another_map_is_refused():
    with pytest.raises(ValueError, match=r"my_way_home\.wad"):
        with_start_spots(b"PWAD" + bytes(64), range(10, 11))


def test_actions_out_of_range_are_refused():
    with pytest.raises(ValueError, match="from 0 to 3"):
        environment._to_buttons(np.array([4]))
