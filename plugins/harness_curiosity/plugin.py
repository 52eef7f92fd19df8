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
        Method(
            name="vae",
            reward="harness_curiosity.vae:VAEReward",
            config="harness_curiosity.generative_configs:VAEConfig",
            summary="Density: the bonus is how badly a variational auto-encoder reconstructs the next state.",
            paper="Lee et al. 2019, arXiv 1906.05274",
            works_with={"on_policy", "off_policy"},
            presets=presets.VAE,
        ),
        Method(
            name="world_model",
            reward="harness_curiosity.world_model:WorldModel",
            config="harness_curiosity.generative_configs:WorldModelConfig",
            summary="World model: the bonus is the surprise of a recurrent mixture model of the next latent state.",
            paper="Ha and Schmidhuber 2018, arXiv 1803.10122",
            works_with={"on_policy"},
            presets=presets.WORLD_MODEL,
        ),
        Method(
            name="td_vae",
            reward="harness_curiosity.td_vae:TDVAE",
            config="harness_curiosity.generative_configs:TDVAEConfig",
            summary="TD-VAE: the bonus is the surprise of the step from one belief to the next.",
            paper="Gregor et al. 2019, arXiv 1806.03107",
            works_with={"on_policy"},
            presets=presets.TD_VAE,
        ),
        Method(
            name="e2c",
            reward="harness_curiosity.e2c:E2C",
            config="harness_curiosity.generative_configs:E2CConfig",
            summary="Embed to control: the bonus is how far a locally linear model's prediction was from the next code.",
            paper="Watter et al. 2015, arXiv 1506.07365",
            works_with={"on_policy", "off_policy"},
            presets=presets.E2C,
        ),
    ]
