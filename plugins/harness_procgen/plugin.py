"""What this package gives the harness: the environment family ``procgen``."""

from __future__ import annotations

from harness import EnvironmentFamily, hookimpl


@hookimpl
def harness_environments() -> list[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="procgen",
            make="harness_procgen.environment:make",
            config="harness_procgen.config:ProcGenConfig",
            summary="ProcGen games, stepped by EnvPool's C++ threads or those of the procgen package; a task's name is the game",
            source="Cobbe et al. 2020, arXiv 1912.01588; EnvPool: Weng et al. 2022, arXiv 2206.10558",
            requires="EnvPool and the Qt 5 libraries: pip install 'exploration-harness[procgen]', which brings both (or, instead "
            "of the wheel PyQt5-Qt5, on Debian or Ubuntu: apt install libqt5gui5)",
        )
    ]
