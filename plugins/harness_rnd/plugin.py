"""What this package gives the harness: the method ``rnd``, and the networks and PPO settings of its two papers."""

from __future__ import annotations

from collections.abc import Sequence

from harness import AlgorithmPreset, Method, Network, hookimpl
from harness_rnd import presets

_BURDA = "Burda et al. 2018, arXiv 1810.12894"
_PECHAC = "Pechac et al. 2024, arXiv 2302.11563"


@hookimpl
def harness_methods() -> Sequence[Method]:
    return [
        Method(
            name="rnd",
            reward="harness_rnd.reward:RND",
            config="harness_rnd.config:RNDConfig",
            summary="Random network distillation: the bonus is the error in predicting a fixed random network.",
            paper=_BURDA,
            works_with={"on_policy", "off_policy"},
            presets=(presets.BURDA2018, presets.PECHAC2024, presets.CLEANRL),
        )
    ]


@hookimpl
def harness_networks() -> Sequence[Network]:
    return [
        Network(
            name="burda2018",
            build="harness_rnd.networks:Burda2018",
            summary="RND's convolutional policy: three convolutions, two layers, a residual layer for each branch.",
            paper=_BURDA,
        ),
        Network(
            name="pechac2024",
            build="harness_rnd.networks:Pechac2024",
            summary="The Atari policy of the SND study: four convolutions up to 128 channels, a hidden layer for each branch.",
            paper=_PECHAC,
        ),
        Network(
            name="pechac2024_procgen",
            build="harness_rnd.networks:Pechac2024ProcGen",
            summary="The ProcGen policy of the SND study: like pechac2024 with 64 channels in the last convolution.",
            paper=_PECHAC,
        ),
    ]


@hookimpl
def harness_algorithm_presets() -> Sequence[AlgorithmPreset]:
    return [presets.PPO_BURDA2018, presets.PPO_PECHAC2024, presets.PPO_CLEANRL]
