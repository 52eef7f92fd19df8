"""Every installed family passes the kit, and the kit finds each fault that it looks for."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from gymnasium import spaces

from harness import NO_INFO, EnvironmentConfig, EnvironmentFamily, HarnessVecEnv, episode_end_info
from harness.environments.places import PlaceMap
from harness.registry import installed
from harness.testing.families import FAMILY_CHECKS, Family, FamilyCheck, run_family_checks
from harness.testing.outcomes import NotApplicable

HEAVY = {"atari", "crafter", "manipulation", "mazes", "procgen", "vizdoom"}
UNSEEN = {"dm_control", "gymnasium", "manipulation"}
"""Families whose example cannot be seen, everywhere or without OpenGL."""

MAPPED = {"classic_control", "deep_sea", "mazes", "minigrid"}
"""Families that tell where their environments are."""

FAMILIES = sorted(installed().environments)


@pytest.fixture(scope="module")
def families() -> dict[str, Family]:
    return {}


@pytest.mark.parametrize("check", FAMILY_CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in HEAVY else []) for name in FAMILIES])
def test_installed_families_conform(families: dict[str, Family], name: str, check: FamilyCheck) -> None:
    family = families.setdefault(name, Family.named(name))
    try:
        check.run(family)
    except NotApplicable as reason:
        assert check.name in ("state", "pictures", "places") or (name, check.name) == ("procgen", "last_step"), reason
        assert check.name != "pictures" or name in UNSEEN, reason
        assert check.name != "places" or name not in MAPPED, reason


@pytest.mark.parametrize("name", FAMILIES)
def test_installed_families_say_how_long_an_episode_can_be(name: str) -> None:
    assert Family.named(name).config.episode_limit is not None


# --------------------------------------------------------------------------------------------------------------------
# A family with one fault
# --------------------------------------------------------------------------------------------------------------------
class ClockConfig(EnvironmentConfig):
    """For tests."""

    fault: str = ""
    """What is wrong."""

    @property
    def saves_state(self) -> bool:
        return self.fault != "resuming"

    @property
    def episode_limit(self) -> int:
        return 2 if self.fault == "limit" else 6

    @property
    def actions(self) -> Any:
        return "continuous" if self.fault == "declared" else "discrete"


class Clocks(HarnessVecEnv):
    """Shows time and a random number; each episode is as long as its seed says."""

    exact_state: ClassVar[bool] = True
    total = 0

    def __init__(self, config: ClockConfig, n_envs: int, threads: int) -> None:
        self._fault, self._threads = config.fault, threads
        super().__init__(n_envs, spaces.Box(0, 1000, (2,), np.float32), spaces.Discrete(2))
        self._rngs = [np.random.default_rng() for _ in range(n_envs)]
        self._time, self._draw = np.zeros(n_envs), np.zeros(n_envs)
        self._buffer = np.zeros((n_envs, 2), np.float32)
        self._came_to = np.zeros(n_envs, np.int64)

    def follow_places(self) -> PlaceMap:
        self._follows = True
        if self._fault == "map":
            return PlaceMap(0, 7)
        return PlaceMap(1, 7, "", "time") if self._fault == "names" else PlaceMap(1, 7)

    def places(self) -> np.ndarray:
        if self._fault == "following":
            self._draw[0] += 1
        if self._fault == "cells":
            return np.full(self.num_envs, 7)
        if self._fault == "order":
            return np.arange(self.num_envs)
        return (
            self._came_to if self._fault == "kept" else self._came_to.astype(np.int32 if self._fault == "places" else np.int64)
        )

    def picture(self, observation: np.ndarray, env: int | None) -> np.ndarray | None:
        if self._fault == "stepping":
            self._draw[0] += 1
        side = int(observation[0]) if self._fault == "sizes" else 8
        return np.full((8, side, 3), int(observation[0]), np.int64 if self._fault == "pictures" else np.uint8)

    def reset(self) -> np.ndarray:
        if self._fault == "seeds":
            Clocks.total += 1
        for i, seed in enumerate(self._seeds):
            if seed is not None:
                self._rngs[i] = np.random.default_rng([seed, self.num_envs if self._fault == "batch" else 0, self.total])
            self._begin(i)
        self._reset_seeds()
        return self._observations()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions
        if self._fault == "actions":
            actions[:] = 0

    def step_wait(self) -> Any:
        self._time += 1 + self._actions
        self._came_to[:] = np.minimum(self._time, 6)
        rewards = self._draw.astype(np.float64 if self._fault == "shapes" else np.float32)
        dones = self._time >= 6
        infos: list[dict[str, Any]] = [{} if self._fault == "infos" else NO_INFO] * self.num_envs
        last = self._observations().copy()
        for i in np.flatnonzero(dones):
            self._begin(int(i))
            shown = self._observations()[i].copy() if self._fault == "last_step" else last[i]
            value: Any = "much" if self._fault == "metrics" else float(self._threads if self._fault == "threads" else 1)
            infos[i] = episode_end_info(shown, truncated=False, metrics={"success": value})
        return self._observations(), rewards, dones, infos

    def close(self) -> None:
        if self._fault == "close":
            self._fault = "closed"
        elif self._fault == "closed":
            raise RuntimeError("closed twice")

    def state_dict(self) -> dict[str, Any]:
        states = [str(rng.bit_generator.state) for rng in self._rngs]
        return {"time": self._time.copy(), "draw": self._draw.copy(), "rngs": states}

    def load_state_dict(self, state: Any) -> None:
        self._time, self._draw = state["time"].copy(), state["draw"].copy()
        for rng, text in zip(self._rngs, state["rngs"], strict=True):
            if self._fault != "state":
                rng.bit_generator.state = eval(text)

    def _begin(self, i: int) -> None:
        self._time[i], self._draw[i] = 0, self._rngs[i].integers(1000)

    def _observations(self) -> np.ndarray:
        self._buffer[:, 0], self._buffer[:, 1] = self._time, self._draw
        return self._buffer if self._fault == "copies" else self._buffer.copy()


def clocks(fault: str) -> Family:
    path = f"{__name__}:x"
    description = EnvironmentFamily(name="clocks", make=path, config=path, example={"fault": fault})
    return Family(description, ClockConfig, description.example, lambda config, n, *, threads=1: Clocks(config, n, threads))


@pytest.mark.parametrize(
    ("fault", "check", "message"),
    [
        ("", "", ""),
        ("declared", "declared", "continuous actions"),
        ("shapes", "shapes", "rewards as float32 (3,), got float64 (3,)"),
        ("infos", "infos", "harness.NO_INFO where no episode ends"),
        ("metrics", "infos", "'success': 'much'"),
        ("last_step", "last_step", "got the first of the next"),
        ("copies", "copies", "an array that a step has changed"),
        ("actions", "copies", "actions to be left as they were given"),
        ("seeds", "seeds", "the same seeds, in new environments"),
        ("batch", "batch", "alone"),
        ("threads", "batch", "with two threads"),
        ("state", "state", "in a new object"),
        ("resuming", "resuming", "saves_state of the settings and exact_state to be the same"),
        ("limit", "resuming", "no episode longer than the settings' episode_limit, 2"),
        ("pictures", "pictures", "a picture as uint8 (height, width, 3), got int64"),
        ("sizes", "pictures", "pictures of one size"),
        ("stepping", "pictures", "the same numbers while somebody looks"),
        ("map", "places", "from 1 to 10,000 cells, not 0 x 7"),
        ("names", "places", "names of axes of 1 to 40 letters"),
        ("places", "places", "places as int64 (3,), got int32 (3,)"),
        ("cells", "places", "cells from 0 to 6, or -1 for none"),
        ("kept", "places", "places that the caller may keep"),
        ("order", "places", "when seeds and actions change places"),
        ("following", "places", "while somebody follows where environments are"),
        ("close", "close", "RuntimeError: closed twice"),
    ],
)
def test_the_kit_finds_one_fault_and_no_other(fault: str, check: str, message: str) -> None:
    failed = {result.check: result.message for result in run_family_checks(clocks(fault)) if result.outcome == "failed"}
    failed.pop(
        "state" if fault in ("seeds", "copies", "actions", "shapes") else "", None
    )  # compared with what such faults spoil
    if fault in ("seeds", "shapes", "copies", "actions"):
        failed.pop("pictures", None)
        failed.pop("places", None)
    for spoilt in ("batch", "copies", "actions") if fault == "seeds" else ():
        failed.pop(spoilt, None)
    if fault == "close":  # every check closes its environments
        assert "closed twice" in failed["close"]
        return
    assert list(failed) == ([check] if check else [])
    assert message in failed.get(check, "")


def test_a_family_without_its_settings_is_told_what_is_missing() -> None:
    family = Family.named("gymnasium", {"id": "CartPol-v1"})
    first = next(run_family_checks(family))
    assert (first.check, first.outcome) == ("config", "failed")
    assert "did you mean 'CartPole-v1'" in first.message
