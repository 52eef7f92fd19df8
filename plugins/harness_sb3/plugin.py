"""What this package gives the harness: three more algorithms of Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Algorithm, hookimpl
from harness_sb3 import presets


@hookimpl
def harness_algorithms() -> Sequence[Algorithm]:
    return [
        Algorithm(
            name="a2c",
            learner="harness_sb3.learners:A2CLearner",
            config="harness_sb3.configs:A2CConfig",
            summary="Advantage actor-critic of Stable-Baselines3: one gradient step for each short rollout.",
            paper="Mnih et al. 2016, arXiv 1602.01783",
            presets=(presets.A2C_ZOO_ATARI,),
        ),
        Algorithm(
            name="dqn",
            learner="harness_sb3.learners:DQNLearner",
            config="harness_sb3.configs:DQNConfig",
            summary="Deep Q-networks of Stable-Baselines3, for discrete actions; each sampled batch gets its bonus anew.",
            paper="Mnih et al. 2015, doi 10.1038/nature14236",
            presets=(presets.DQN_ZOO_ATARI, presets.DQN_ZOO_MOUNTAIN_CAR),
        ),
        Algorithm(
            name="td3",
            learner="harness_sb3.learners:TD3Learner",
            config="harness_sb3.configs:TD3Config",
            summary="Twin delayed DDPG of Stable-Baselines3, for continuous actions; each sampled batch gets its bonus anew.",
            paper="Fujimoto et al. 2018, arXiv 1802.09477",
            presets=(presets.TD3_FUJIMOTO2018,),
        ),
    ]
