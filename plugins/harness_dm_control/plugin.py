"""What this package gives the harness: the environment family ``dm_control``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="dm_control",
            make="harness_dm_control.environment:make",
            config="harness_dm_control.config:DmControlConfig",
            example={"task": "cartpole_swingup_sparse", "episode_steps": 60},
            n_envs=32,
            packages=("envpool", "dm_control", "mujoco"),
            summary="DeepMind Control Suite, from states by EnvPool's C++ threads or from pixels; a task is domain_task",
            source="Tassa et al. 2018, arXiv 1801.00690; EnvPool: Weng et al. 2022, arXiv 2206.10558",
            requires="EnvPool, dm_control and MuJoCo: pip install 'exploration-harness[dm_control]'; with from_pixels also "
            "OpenGL without a display, EGL or OSMesa (Debian: apt install libegl1 libgl1-mesa-dri, or apt install libosmesa6)",
        )
    ]
