"""gymnasium-robotics and MetaWorld as they run with the MuJoCo that is installed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest


class IntegerEnums:
    """MuJoCo with two enumerations as integers: gymnasium-robotics 1.4.2 compares NumPy's with them, which were equal once."""

    def __init__(self, mujoco: Any) -> None:
        self._mujoco = mujoco
        for name in ("mjtEq", "mjtJoint"):
            setattr(self, name, SimpleNamespace(**{k: int(v) for k, v in getattr(mujoco, name).__members__.items()}))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mujoco, name)


@pytest.fixture
def robotics(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """gymnasium-robotics' environments by their registered ids."""
    import gymnasium
    import gymnasium_robotics
    import mujoco
    from gymnasium_robotics.utils import mujoco_utils

    monkeypatch.setattr(mujoco_utils, "mujoco", IntegerEnums(mujoco))
    gymnasium.register_envs(gymnasium_robotics)
    return gymnasium.make


@pytest.fixture
def sawyer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """MetaWorld's environments by name, with goals shown, ready for `reset`."""
    metaworld = pytest.importorskip("metaworld", reason="pip install 'metaworld>=3'")
    import mujoco
    from metaworld import sawyer_xyz_env

    def reset_mocap_welds(env: Any) -> None:
        """MetaWorld's own, which writes eleven numbers into rows that have one more since MuJoCo 3.3."""
        env.model.eq_data[env.model.eq_type == int(mujoco.mjtEq.mjEQ_WELD), :11] = [0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 5]
        mujoco.mj_forward(env.model, env.data)

    owner = next(c for c in vars(sawyer_xyz_env).values() if "reset_mocap_welds" in getattr(c, "__dict__", {}))
    monkeypatch.setattr(owner, "reset_mocap_welds", reset_mocap_welds)

    def made(name: str) -> Any:
        benchmark = metaworld.MT1(name, seed=0)
        env = benchmark.train_classes[name]()
        env.set_task(benchmark.train_tasks[0])
        assert not env._partially_observable
        return env

    return made


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random actions every time."""
    return np.random.default_rng(0)
