"""A dm_control configuration refuses what cannot be made, in words that help, and costs little to import."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from harness_dm_control import config, opengl
from harness_dm_control.config import DmControlConfig
from harness_dm_control.plugin import harness_environments
from harness_dm_control.tasks import SPARSE, TASKS


@pytest.fixture
def no_opengl(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(config, "rendering_platform", lambda: "egl")


def test_defaults_are_the_suites_own():
    made = DmControlConfig(task="cartpole_swingup_sparse")
    assert (made.domain, made.action_repeat, made.episode_steps) == ("cartpole", 1, 1000)
    assert (made.actions, made.observations, made.time_limit) == ("continuous", "vectors", "truncates")
    assert made.suite_task.envpool_id == "CartpoleSwingupSparse-v1"


@pytest.mark.parametrize(
    ("task", "domain", "name", "envpool_id"),
    [
        ("ball_in_cup_catch", "ball_in_cup", "catch", "BallInCupCatch-v1"),
        ("humanoid_CMU_run", "humanoid_CMU", "run", "HumanoidCMURun-v1"),
        ("humanoid_run_pure_state", "humanoid", "run_pure_state", "HumanoidRunPureState-v1"),
        ("swimmer_swimmer6", "swimmer", "swimmer6", "SwimmerSwimmer6-v1"),
    ],
)
def test_names_are_split_where_dm_control_splits_them(task: str, domain: str, name: str, envpool_id: str):
    found = DmControlConfig(task=task).suite_task
    assert (found.domain, found.name, found.envpool_id) == (domain, name, envpool_id)


def test_pixels_are_images_by_the_published_camera(no_opengl: None):
    made = DmControlConfig(task="walker_walk", from_pixels=True)
    assert (made.observations, made.stack, made.size, made.camera_id) == ("images", 3, 84, 0)
    assert DmControlConfig(task="quadruped_run", from_pixels=True).camera_id == 2
    assert DmControlConfig(task="quadruped_run", from_pixels=True, camera=0).camera_id == 0


def test_a_dump_is_read_back():
    made = DmControlConfig(task="reacher_hard", action_repeat=2)
    assert made.model_dump()["domain"] == "reacher"
    assert DmControlConfig.model_validate(made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("cartpole_swingup_sprase", "cartpole_swingup_sparse"),
        ("CartpoleSwingupSparse-v1", "cartpole_swingup_sparse"),
        ("cup_catch", "ball_in_cup_catch"),
        ("walker-walk", "walker_walk"),
        ("humanoid_cmu_run", "humanoid_CMU_run"),
    ],
)
def test_unknown_task_is_answered_with_the_nearest(given: str, meant: str):
    with pytest.raises(ValidationError) as caught:
        DmControlConfig(task=given)
    (error,) = caught.value.errors()
    assert error["loc"] == ("task",)
    assert f"unknown task {given!r}: did you mean {meant!r}?" in error["msg"]


def test_tasks_that_cannot_be_learned_say_why():
    with pytest.raises(ValidationError, match="actions of lqr have no bounds"):
        DmControlConfig(task="lqr_lqr_2_1")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"action_repeat": 0}, "action_repeat"),
        ({"episode_steps": 0}, "episode_steps"),
        ({"frame_skip": 2}, "frame_skip"),
        ({"domain": "walker"}, "is of domain 'cartpole', not 'walker'"),
        ({"stack": 4}, "stack: has no effect without 'from_pixels: true'"),
        ({"size": 64}, "size: has no effect"),
        ({"camera": 1}, "camera: has no effect"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict, message: str):
    with pytest.raises(ValidationError, match=message):
        DmControlConfig.model_validate({"task": "cartpole_balance", **wrong})


def test_every_field_has_a_meaning():
    assert [name for name, field in DmControlConfig.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(("settings", "package"), [({}, "envpool"), ({"from_pixels": True}, "dm_control")])
def test_missing_package_says_how_to_install_it(settings: dict, package: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("harness.config.base.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=rf"{package} is missing; pip install 'exploration-harness\[dm_control\]'"):
        DmControlConfig.model_validate({"task": "cartpole_balance", **settings})


def test_without_opengl_states_work_and_pixels_say_what_is_missing(monkeypatch: pytest.MonkeyPatch):
    opengl.rendering_platform.cache_clear()
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    try:
        assert DmControlConfig(task="cartpole_balance").observations == "vectors"
        with pytest.raises(ValidationError, match=r"with MUJOCO_GL=disabled \(disabled: .*apt install libegl1"):
            DmControlConfig(task="cartpole_balance", from_pixels=True)
    finally:
        opengl.rendering_platform.cache_clear()


def test_platforms_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch):
    opengl.rendering_platform.cache_clear()
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(opengl, "_rendering_error", {"egl": "no driver", "osmesa": ""}.__getitem__)
    try:
        assert opengl.rendering_platform() == "osmesa"
        monkeypatch.setattr(opengl, "_rendering_error", {"egl": "no driver", "osmesa": "no library"}.__getitem__)
        opengl.rendering_platform.cache_clear()
        with pytest.raises(ValueError, match=r"rendered here \(egl: no driver; osmesa: no library\). Remedy: .*libosmesa6"):
            opengl.rendering_platform()
    finally:
        opengl.rendering_platform.cache_clear()


def test_a_child_that_dies_is_a_reason_and_not_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opengl, "_PROBE", "import os; os.abort()")
    assert "exit code -6" in opengl._rendering_error("egl")
    monkeypatch.setattr(opengl, "_PROBE", "import os; assert os.environ['MUJOCO_GL'] == 'osmesa'")
    assert opengl._rendering_error("osmesa") == ""


HEAVY = "('torch', 'stable_baselines3', 'envpool', 'dm_control', 'mujoco', 'gymnasium', 'numpy')"


def test_validation_loads_nothing_heavy():
    program = "import harness_dm_control.plugin; from harness_dm_control.config import DmControlConfig"
    program += "; DmControlConfig(task='cartpole_balance')"
    program += f"; import sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split() == []


def test_plugin_names_what_exists():
    (family,) = harness_environments()
    module, _, name = family.config.partition(":")
    assert family.name == "dm_control"
    assert (module, name) == (DmControlConfig.__module__, DmControlConfig.__name__)
    assert family.make == "harness_dm_control.environment:make"
    assert "libegl1" in family.requires and "libosmesa6" in family.requires


def test_sparse_tasks_are_tasks():
    assert set(TASKS) > SPARSE
