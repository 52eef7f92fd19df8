"""What this package gives the harness: the method ``proto_rl``, and the SAC settings of its paper."""

from __future__ import annotations

from collections.abc import Sequence

from harness import AlgorithmPreset, Method, hookimpl
from harness_proto_rl import presets


@hookimpl
def harness_methods() -> Sequence[Method]:
    return [
        Method(
            name="proto_rl",
            reward="harness_proto_rl.reward:ProtoRL",
            config="harness_proto_rl.config:ProtoRLConfig",
            summary="Prototypes: the bonus is the distance to states picked by prototypes of a representation that learns.",
            paper="Yarats et al. 2021, arXiv 2102.11271",
            works_with={"off_policy"},
            presets=(presets.YARATS2021, presets.LASKIN2021),
        )
    ]


@hookimpl
def harness_algorithm_presets() -> Sequence[AlgorithmPreset]:
    return [presets.SAC_YARATS2021]
