"""The tasks of the DeepMind Control Suite, as plain data: nothing needs to be installed to look at it.

Tests hold every entry equal to dm_control 1.0.50 (`dm_control.suite.ALL_TASKS` and the order of ``observation_spec()``). The
domain ``lqr`` is left out: its actions have no bounds and its episodes no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        domain: dm_control's name of the body and its world, such as ``ball_in_cup``.
        name: dm_control's name of what to do there, such as ``catch``.
        parts: The parts of a state that dm_control shows, in its order. EnvPool shows more in some tasks, which its own
            documentation calls meaningless there.
    """

    domain: str
    name: str
    parts: tuple[str, ...]

    @property
    def envpool_id(self) -> str:
        """EnvPool's name: ``BallInCupCatch-v1``."""
        words = f"{self.domain}_{self.name}".split("_")
        return "".join(word[:1].upper() + word[1:] for word in words) + "-v1"


_PARTS: Mapping[str, str] = {
    "acrobot": "orientations velocity",
    "ball_in_cup": "position velocity",
    "cartpole": "position velocity",
    "cheetah": "position velocity",
    "dog": "joint_angles joint_velocites torso_pelvis_height z_projection torso_com_velocity inertial_sensors foot_forces "
    "touch_sensors actuator_state",
    "finger": "position velocity touch",
    "fish": "joint_angles upright velocity",
    "hopper": "position velocity touch",
    "humanoid": "joint_angles head_height extremities torso_vertical com_velocity velocity",
    "humanoid_CMU": "joint_angles head_height extremities torso_vertical com_velocity velocity",
    "manipulator": "arm_pos arm_vel touch hand_pos object_pos object_vel target_pos",
    "pendulum": "orientation velocity",
    "point_mass": "position velocity",
    "quadruped": "egocentric_state torso_velocity torso_upright imu force_torque",
    "reacher": "position to_target velocity",
    "stacker": "arm_pos arm_vel touch hand_pos box_pos box_vel target_pos",
    "swimmer": "joints to_target body_velocities",
    "walker": "orientations height velocity",
}
_OTHER_PARTS: Mapping[str, str] = {
    "dog_fetch": _PARTS["dog"] + " ball_state target_position",
    "finger_turn_easy": _PARTS["finger"] + " target_position dist_to_target",
    "finger_turn_hard": _PARTS["finger"] + " target_position dist_to_target",
    "fish_swim": "joint_angles upright target velocity",
    "humanoid_run_pure_state": "position velocity",
    "quadruped_escape": _PARTS["quadruped"] + " origin rangefinder",
    "quadruped_fetch": _PARTS["quadruped"] + " ball_state target_position",
}
_NAMES: Mapping[str, str] = {
    "acrobot": "swingup swingup_sparse",
    "ball_in_cup": "catch",
    "cartpole": "balance balance_sparse swingup swingup_sparse two_poles three_poles",
    "cheetah": "run",
    "dog": "stand walk trot run fetch",
    "finger": "spin turn_easy turn_hard",
    "fish": "upright swim",
    "hopper": "stand hop",
    "humanoid": "stand walk run run_pure_state",
    "humanoid_CMU": "stand walk run",
    "manipulator": "bring_ball bring_peg insert_ball insert_peg",
    "pendulum": "swingup",
    "point_mass": "easy hard",
    "quadruped": "walk run escape fetch",
    "reacher": "easy hard",
    "stacker": "stack_2 stack_4",
    "swimmer": "swimmer6 swimmer15",
    "walker": "stand walk run",
}

TASKS: Mapping[str, Task] = {
    f"{domain}_{name}": Task(domain, name, tuple(_OTHER_PARTS.get(f"{domain}_{name}", _PARTS[domain]).split()))
    for domain, names in _NAMES.items()
    for name in names.split()
}
"""All tasks by the name that suites use, ``<domain>_<name>``."""

SPARSE = frozenset(
    {
        "acrobot_swingup_sparse",
        "ball_in_cup_catch",
        "cartpole_balance_sparse",
        "cartpole_swingup_sparse",
        "finger_spin",
        "finger_turn_easy",
        "finger_turn_hard",
        "hopper_hop",
        "pendulum_swingup",
        "reacher_easy",
        "reacher_hard",
    }
)
"""The tasks that reward nothing at all until their goal is reached. All pay 1 per step at the goal but ``hopper_hop``, which
pays up to 1 by speed, and only a hopper that stands and moves forward."""
