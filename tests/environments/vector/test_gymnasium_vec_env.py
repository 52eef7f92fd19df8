"""Lists of Gymnasium environments keep what `HarnessVecEnv` promises, in one process and in several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.counting import CountingEnv

from harness import NO_INFO
from harness.environments.vector.batch import GymnasiumVecEnv

N = 5


def workers(of: int | None = None) -> set[psutil.Process]:
    """The processes with environments, without the one in which Python tracks resources."""
    return {child for child in psutil.Process(of).children() if "spawn_main" in " ".join(child.cmdline())}


def counters(processes: int, n: int = N) -> GymnasiumVecEnv:
    factories = [partial(CountingEnv, number) for number in range(n)]
    return GymnasiumVecEnv(
        factories, CountingEnv.observation_space, CountingEnv.action_space, processes=processes, metrics=("steps", "draw")
    )


def rolled(env: GymnasiumVecEnv, steps: int = 20) -> list[np.ndarray]:
    env.reseed(range(10, 10 + N))
    out = [env.reset()]
    for _ in range(steps):
        observations, rewards, dones, infos = env.step(np.zeros(N, np.int64))
        out += [observations, rewards, dones]
        for i, info in enumerate(infos):
            assert (info is NO_INFO) == (not dones[i])
            if info:
                length = i + 2
                assert info["terminal_observation"].tolist()[2] == rewards[i] == info["metrics"]["steps"] == length
                assert info["metrics"]["draw"] == info["terminal_observation"][3]
                assert info["TimeLimit.truncated"] == (i % 2 == 0)
                assert observations[i, 2] == 0 and observations[i, 1] == info["terminal_observation"][1] + 1
    return out


def test_processes_give_the_same_numbers_and_seeds_decide_them():
    runs = []
    for processes in (0, 2):
        env = counters(processes)
        env.enable_metrics()
        runs.append(rolled(env))
        again = rolled(env)
        # Episodes are counted on; everything else begins anew.
        assert all(np.array_equal(a[..., 2:], b[..., 2:]) for a, b in zip(runs[-1][::3][1:], again[::3][1:], strict=True))
        env.close()
        env.close()
    assert all(np.array_equal(one, other) for one, other in zip(*runs, strict=True))


@pytest.mark.parametrize("processes", [0, 2])
def test_what_was_handed_out_stays(processes: int):
    env = counters(processes)
    begun = env.reset()
    kept = begun.copy()
    first = env.step(np.zeros(N, np.int64))
    copies = [part.copy() for part in first[:3]]
    env.step(np.zeros(N, np.int64))
    assert np.array_equal(begun, kept)
    assert all(np.array_equal(a, b) for a, b in zip(first[:3], copies, strict=True))
    env.close()


@pytest.mark.parametrize("processes", [0, 2])
def test_metrics_only_when_asked_for(processes: int):
    env = counters(processes)
    env.reset()
    ends = [info for _ in range(4) for info in env.step(np.zeros(N, np.int64))[3] if info]
    assert ends and not any("metrics" in info for info in ends)
    env.close()


def test_an_environment_that_raises_is_told_with_its_traceback():
    env = counters(2)
    env.reset()
    with pytest.raises(RuntimeError, match="the counter is broken"):
        env.step(np.eye(N, dtype=np.int64)[3])
    env.close()


def test_a_process_that_dies_is_told_and_the_others_end():
    env = counters(2)
    env.reset()
    with pytest.raises(RuntimeError, match="exit code 7"):
        env.step(2 * np.eye(N, dtype=np.int64)[0])
    env.close()
    assert not workers()


@pytest.mark.parametrize("processes", [0, 2])
def test_discrete_actions_out_of_range_are_refused(processes: int):
    env = counters(processes)
    env.reset()
    with pytest.raises(ValueError, match="from 0 to 2"):
        env.step(np.full(N, 3))
    env.close()
    with pytest.raises(RuntimeError, match="close"):
        env.reset()


def shared_segments() -> set[str]:
    """Those with names of Python's own making; what other programs share meanwhile is theirs."""
    folder = Path("/dev/shm")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return {name for name in names if name.startswith(("psm_", "pym-", "sem.mp-"))}


def test_closing_leaves_no_process_and_no_shared_memory():
    before = shared_segments()
    env = counters(3)
    env.reset()
    assert len(workers()) == 3
    env.close()
    assert not workers()
    assert shared_segments() <= before


OWNER = """
import sys, time
from functools import partial
sys.path[:0] = sys.argv[1:]
from support.counting import CountingEnv
from harness.environments.vector.batch import GymnasiumVecEnv
if __name__ == "__main__":
    factories = [partial(CountingEnv, number) for number in range(2)]
    env = GymnasiumVecEnv(factories, CountingEnv.observation_space, CountingEnv.action_space, processes=2)
    env.reset()
    print("ready", flush=True)
    time.sleep(60)
"""


def test_processes_end_when_their_owner_is_killed(tmp_path: Path):
    before = shared_segments()
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    with subprocess.Popen([sys.executable, script, *map(str, sys.path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == "ready\n"
        children = workers(owner.pid)
        assert len(children) == 2
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < deadline, "a process has outlived its owner"
        time.sleep(0.05)
    assert shared_segments() <= before
