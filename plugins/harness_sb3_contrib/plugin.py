"""What this package gives the harness: three algorithms of sb3-contrib."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Algorithm, hookimpl
from harness_sb3_contrib import presets


@hookimpl
def harness_algorithms() -> Sequence[Algorithm]:
    return [
        Algorithm(
            name="recurrent_ppo",
            learner="harness_sb3_contrib.recurrent:RecurrentPPOLearner",
            config="harness_sb3_contrib.configs:RecurrentPPOConfig",
            summary="Proximal policy optimisation of sb3-contrib with an LSTM, for tasks that need memory.",
            paper="Schulman et al. 2017, arXiv 1707.06347",
            presets=(presets.RECURRENT_PPO_ZOO_LUNAR_LANDER,),
            packages=("sb3-contrib",),
        ),
        Algorithm(
            name="tqc",
            learner="harness_sb3_contrib.learners:TQCLearner",
            config="harness_sb3_contrib.configs:TQCConfig",
            summary="Truncated quantile critics of sb3-contrib, for continuous actions; each batch gets its bonus anew.",
            paper="Kuznetsov et al. 2020, arXiv 2005.04269",
            presets=(presets.TQC_KUZNETSOV2020,),
            packages=("sb3-contrib",),
        ),
        Algorithm(
            name="qr_dqn",
            learner="harness_sb3_contrib.learners:QRDQNLearner",
            config="harness_sb3_contrib.configs:QRDQNConfig",
            summary="Quantile regression DQN of sb3-contrib, for discrete actions; each sampled batch gets its bonus anew.",
            paper="Dabney et al. 2018, arXiv 1710.10044",
            presets=(presets.QRDQN_DABNEY2018, presets.QRDQN_ZOO_MOUNTAIN_CAR),
            packages=("sb3-contrib",),
        ),
    ]
