"""What this package gives the harness: methods whose bonus is what a model of the world gets wrong."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Method, hookimpl
from harness_curiosity import presets


@hookimpl
def harness_methods() -> Sequence[Method]:
    return [
        Method(
            name="icm",
            reward="harness_curiosity.icm:ICM",
            config="harness_curiosity.dynamics_configs:ICMConfig",
            summary="Curiosity: the bonus is the error in predicting features of the next state.",
            paper="Pathak et al. 2017, arXiv 1705.05363",
            works_with={"on_policy", "off_policy"},
            presets=presets.ICM,
        ),
        Method(
            name="disagreement",
            reward="harness_curiosity.disagreement:Disagreement",
            config="harness_curiosity.dynamics_configs:DisagreementConfig",
            summary="Disagreement: the bonus is the variance of an ensemble's predictions of the next state.",
            paper="Pathak et al. 2019, arXiv 1906.04161",
            works_with={"on_policy", "off_policy"},
            presets=presets.DISAGREEMENT,
        ),
    ]
