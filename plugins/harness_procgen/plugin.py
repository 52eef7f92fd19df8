"""What this package gives the harness: the environment family ``procgen``, and the network and PPO of its authors."""

from __future__ import annotations

from collections.abc import Sequence

from harness import AlgorithmPreset, EnvironmentFamily, Network, Preset, hookimpl

_COBBE = "Cobbe et al. 2020, arXiv 1912.01588"


@hookimpl
def harness_environments() -> Sequence[EnvironmentFamily]:
    return [
        EnvironmentFamily(
            name="procgen",
            make="harness_procgen.environment:make",
            config="harness_procgen.config:ProcGenConfig",
            example={"game": "bossfight"},
            n_envs=32,
            packages=("envpool", "procgen", "PyQt5-Qt5"),
            summary="ProcGen games, in C++ threads of EnvPool or of the procgen package; a task's name is the game",
            source=f"{_COBBE}; EnvPool: Weng et al. 2022, arXiv 2206.10558",
            requires="EnvPool and the Qt 5 libraries: pip install 'exploration-harness[procgen]', which brings both (or, "
            "instead of the wheel PyQt5-Qt5, on Debian or Ubuntu: apt install libqt5gui5)",
        )
    ]


@hookimpl
def harness_networks() -> Sequence[Network]:
    return [
        Network(
            name="impala",
            build="harness_procgen.networks:Impala",
            summary="ProcGen's own: three stages of residual convolutions with 16, 32 and 32 channels, a layer of 256 units.",
            paper=f"Espeholt et al. 2018, arXiv 1802.01561; {_COBBE}",
        )
    ]


@hookimpl
def harness_algorithm_presets() -> Sequence[AlgorithmPreset]:
    return [
        AlgorithmPreset(
            algorithm="ppo",
            preset=Preset(
                name="cobbe2020",
                source=f"{_COBBE}: openai/train-procgen train_procgen/train.py",
                config={
                    "n_envs": 64,
                    "n_steps": 256,
                    "batch_size": 2048,  # 8 minibatches of 64 x 256 transitions
                    "n_epochs": 3,
                    "learning_rate": 5e-4,
                    "learning_rate_schedule": "constant",
                    "adam_epsilon": 1e-5,
                    "gamma": 0.999,
                    "gae_lambda": 0.95,
                    "clip_range": 0.2,
                    "clip_range_vf": 0.2,  # baselines' ppo2 clips values by the same range
                    "normalize_advantage": True,
                    "ent_coef": 0.01,
                    "vf_coef": 0.5,
                    "max_grad_norm": 0.5,
                    "network": "impala",
                },
            ),
        )
    ]
