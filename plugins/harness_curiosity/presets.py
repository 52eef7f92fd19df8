"""Published settings of this package's methods, as data; every value is followed by its source.

Code is cited as repository@commit: NRL is pathak22/noreward-rl@3e220c2, LSC openai/large-scale-curiosity@e0a6986, DIS
pathak22/exploration-by-disagreement@cd984f1, RLLTE RLE-Foundation/rllte@ef55dda, URLB rll-research/url_benchmark@bb98f0c.
Values that a code has no counterpart of, such as what is for vectors where it knows images, are marked as ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from harness import Preset
from harness_curiosity.generative_presets import E2C, TD_VAE, VAE, WORLD_MODEL

__all__ = ["DISAGREEMENT", "E2C", "ICM", "TD_VAE", "VAE", "WORLD_MODEL"]

_SUM: Mapping[str, Any] = {
    "mode": "sum",
    "extrinsic_weight": 1.0,
    "intrinsic_weight": 1.0,
}

_PATHAK2017: Mapping[str, Any] = {
    "frames": "all",  # NRL src/envs.py: BufferedObsEnv stacks four frames of 42 x 42 (its Atari wrapper has one)
    "observation_normalisation": "none",  # NRL src/env_wrapper.py: divided by 255
    "observation_clip": 5.0,  # no effect
    "warm_up_steps": 0,  # no effect
    "features": "inverse",  # NRL src/model.py StateActionPredictor
    "architecture": "auto",
    "convolutions": "pathak2017",  # NRL src/model.py universeHead
    "hidden": (256,),  # ours: NRL knows images only
    "feature_dim": 288,  # ours for vectors; what 42 x 42 pixels are flattened to there
    "feature_output": "linear",  # NRL src/model.py: flattened as they are
    "forward_model": "mlp",  # NRL src/model.py StateActionPredictor
    "forward_hidden": 256,  # ditto: size
    "inverse_hidden": 256,  # ditto
    "inverse_output": "linear",  # ditto: logits
    "aggregate": "half_sum",  # ditto: 0.5 * mean * 288
    "init_gain": sqrt(2),  # ours: NRL draws normalised columns of size 0.01
    "forward_trains_features": True,  # NRL src/model.py: nothing is stopped
    "forward_share": 0.2,  # NRL src/constants.py FORWARD_LOSS_WT; the paper's beta is unchecked
    "loss_scale": 200.0,  # NRL src/constants.py PREDICTION_LR_SCALE 10, times 20 in src/a3c.py
    "log1p": False,
    "eta": 0.01,  # NRL src/constants.py PREDICTION_BETA
    "bonus_normalisation": "none",
    "bonus_gamma": 0.99,  # no effect
    "learning_rate": 1e-4,  # NRL src/constants.py; the paper's own is unchecked
    "adam_epsilon": 1e-8,  # TensorFlow's default
    "gradient_clip": "norm",  # NRL src/a3c.py: the predictor's gradients by themselves
    "gradient_bound": 40.0,  # NRL src/constants.py GRAD_NORM_CLIP
    "epochs": 1,  # NRL src/a3c.py: every rollout once
    "minibatches": 32,  # ours: there 20 steps of one worker at a time
    "minibatch_order": "time",  # NRL src/a3c.py: in stored order
}

_BURDA2018: Mapping[str, Any] = {
    "frames": "all",  # LSC run.py: FrameStack 4
    "observation_normalisation": "random_play",  # LSC utils.py random_agent_ob_mean_std
    "observation_clip": 5.0,  # no effect
    "warm_up_steps": 79,  # LSC utils.py: 10,000 steps, here spread over 128 environments
    "features": "inverse",  # LSC run.py --feat_learning idf
    "architecture": "auto",
    "convolutions": "burda2018",  # LSC utils.py small_convnet
    "hidden": (256,),  # ours: LSC knows images only
    "feature_dim": 512,  # LSC run.py feat_dim
    "feature_output": "linear",  # LSC auxiliary_tasks.py: last_nl None; --layernorm 0
    "forward_model": "residual",  # LSC dynamics.py
    "forward_hidden": 512,  # LSC cnn_policy.py hidsize
    "inverse_hidden": 512,  # LSC auxiliary_tasks.py InverseDynamics: hidsize
    "inverse_output": "linear",  # ditto
    "aggregate": "mean",  # LSC dynamics.py
    "init_gain": 1.0,  # ours: LSC draws rows of norm 1 in linear layers, TensorFlow's default in convolutions
    "forward_trains_features": False,  # LSC dynamics.py: stop_gradient on both states
    "forward_share": 0.5,  # LSC cppo_agent.py: auxiliary and dynamics loss of equal weight
    "loss_scale": 2.0,  # ditto: both of weight 1
    "log1p": False,
    "eta": 1.0,
    "bonus_normalisation": "return_std",  # LSC cppo_agent.py: buf_rews / sqrt(rff_rms.var)
    "bonus_gamma": 0.99,  # LSC run.py --gamma
    "learning_rate": 1e-4,  # LSC run.py --lr
    "adam_epsilon": 1e-8,  # TensorFlow's default
    "gradient_clip": "none",
    "gradient_bound": 40.0,  # no effect
    "epochs": 3,  # LSC run.py --nepochs
    "minibatches": 8,  # LSC run.py --nminibatches
    "minibatch_order": "environment",  # LSC cppo_agent.py: slices of permuted environments
}

_RLLTE: Mapping[str, Any] = {
    "frames": "all",  # RLLTE: observations as they are, unchecked
    "observation_normalisation": "standardise",  # RLLTE rllte/common/prototype: obs_norm_type rms, unchecked
    "observation_clip": 5.0,  # ditto, unchecked
    "warm_up_steps": 0,
    "features": "inverse",  # RLLTE rllte/xplore/reward/icm.py
    "architecture": "auto",
    "convolutions": "nature",  # RLLTE rllte/xplore/reward/model.py: mnih
    "hidden": (256,),  # ditto
    "feature_dim": 128,  # RLLTE rllte/xplore/reward/icm.py latent_dim
    "feature_output": "linear",  # RLLTE rllte/xplore/reward/model.py
    "forward_model": "mlp",  # ditto
    "forward_hidden": 256,  # ditto
    "inverse_hidden": 256,  # ditto
    "inverse_output": "linear",  # ditto
    "aggregate": "mean",  # RLLTE rllte/xplore/reward/icm.py: mse_loss(...).mean
    "init_gain": sqrt(2),  # RLLTE rllte/xplore/reward/model.py layer_init, of linear layers
    "forward_trains_features": True,  # RLLTE rllte/xplore/reward/icm.py: nothing is stopped
    "forward_share": 0.5,  # ditto: im_loss + fm_loss
    "loss_scale": 2.0,  # ditto: both of weight 1
    "log1p": False,
    "eta": 1.0,
    "bonus_normalisation": "bonus_std",  # RLLTE rllte/common/prototype: rwd_norm_type rms
    "bonus_gamma": 0.99,  # no effect
    "learning_rate": 1e-3,  # RLLTE rllte/xplore/reward/icm.py
    "adam_epsilon": 1e-8,  # torch's default
    "gradient_clip": "none",
    "gradient_bound": 40.0,  # no effect
    "epochs": 1,  # RLLTE rllte/xplore/reward/icm.py: one pass
    "minibatches": 4,  # ditto: batch_size 256, of 1024 transitions
    "minibatch_order": "shuffled",  # ditto
}

_URLB: Mapping[str, Any] = {
    "frames": "all",
    "observation_normalisation": "none",  # URLB agent/icm.py: states as they are
    "observation_clip": 5.0,  # no effect
    "warm_up_steps": 0,
    "features": "pixels",  # URLB agent/icm.py: no encoder of states; its encoder of images is the agent's
    "architecture": "mlp",  # ditto
    "convolutions": "burda2018",  # no effect
    "hidden": (256,),  # no effect
    "feature_dim": 50,  # no effect
    "feature_output": "linear",  # no effect
    "forward_model": "mlp",  # URLB agent/icm.py
    "forward_hidden": 1024,  # URLB agent/icm.yaml hidden_dim
    "inverse_hidden": 1024,  # ditto
    "inverse_output": "tanh",  # URLB agent/icm.py
    "aggregate": "norm",  # ditto: torch.norm
    "init_gain": 1.0,  # URLB utils.py weight_init: orthogonal
    "forward_trains_features": False,  # no effect: nothing to be trained
    "forward_share": 0.5,  # URLB agent/icm.py: the sum of both
    "loss_scale": 2.0,  # ditto: both of weight 1
    "log1p": True,  # ditto
    "eta": 1.0,  # URLB agent/icm.yaml icm_scale
    "bonus_normalisation": "none",
    "bonus_gamma": 0.99,  # no effect
    "learning_rate": 1e-4,  # URLB agent/icm.yaml lr
    "adam_epsilon": 1e-8,  # torch's default
    "gradient_clip": "none",
    "gradient_bound": 40.0,  # no effect
    "epochs": 1,
    "minibatches": 1,  # URLB agent/icm.py: the agent's batch of 1024
    "minibatch_order": "time",
}

_PATHAK_SOURCE = "Pathak et al. 2017, arXiv 1705.05363, and pathak22/noreward-rl@3e220c2"
_BURDA_SOURCE = "Burda et al. 2018, arXiv 1808.04355, and openai/large-scale-curiosity@e0a6986"
_URLB_SOURCE = "Laskin et al. 2021, arXiv 2110.15191: rll-research/url_benchmark@bb98f0c"

_LSC_COMBINE: Mapping[str, Any] = {
    "mode": "two_critics",  # ours: LSC learns from the bonus alone, of one critic
    "extrinsic_weight": 1.0,  # ours; LSC run.py --ext_coeff 0
    "intrinsic_weight": 1.0,  # LSC run.py --int_coeff
    "intrinsic_gamma": 0.99,  # LSC run.py --gamma
    "episodic": False,  # LSC run.py --use_news 0
}


def _burda(features: str) -> Preset:
    return Preset(
        name=f"burda2018_{features}",
        source=_BURDA_SOURCE,
        config={**_BURDA2018, "features": features},  # LSC run.py --feat_learning
        combine=_LSC_COMBINE,
    )


ICM = (
    Preset(
        name="pathak2017", source=_PATHAK_SOURCE, config=_PATHAK2017, combine={**_SUM, "clip_total": 1.0}
    ),  # NRL src/a3c.py REWARD_CLIP
    Preset(name="burda2018", source=_BURDA_SOURCE, config=_BURDA2018, combine=_LSC_COMBINE),
    _burda("random"),
    _burda("vae"),
    _burda("pixels"),
    Preset(name="rllte", source="RLE-Foundation/rllte@ef55dda", config=_RLLTE, combine=_SUM),
    Preset(name="urlb", source=f"ICM in {_URLB_SOURCE}", config=_URLB, combine=_SUM),
)


def _ensemble(config: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Settings of ICM that an ensemble of the same code shares, and its own."""
    only_icm = ("forward_trains_features", "forward_share", "loss_scale", "log1p")
    return {name: value for name, value in config.items() if name not in only_icm} | changes


DISAGREEMENT = (
    Preset(
        name="pathak2019",
        source="Pathak et al. 2019, arXiv 1906.04161, and pathak22/exploration-by-disagreement@cd984f1",
        config=_ensemble(
            _BURDA2018,  # DIS grew from LSC: the same networks, statistics and passes
            features="random",  # DIS run.py --feat_learning none
            members=5,  # DIS run.py --num_dynamics
            unbiased=False,  # DIS rollouts.py: numpy's variance
            member_data="dropout",  # DIS dynamics.py get_loss_partial
            keep=0.8,  # ditto
        ),
        combine=_LSC_COMBINE,
    ),
    Preset(
        name="rllte",
        source="RLE-Foundation/rllte@ef55dda",
        config=_ensemble(
            _RLLTE,
            features="random",  # RLLTE rllte/xplore/reward/disagreement.py: random_encoder
            members=4,  # ditto: ensemble_size
            unbiased=True,  # ditto: torch.var
            member_data="round_robin",  # ditto: minibatch i trains member i mod K
            keep=1.0,  # no effect; update_proportion 1
        ),
        combine=_SUM,
    ),
    Preset(
        name="urlb",
        source=f"Disagreement in {_URLB_SOURCE}",
        config=_ensemble(
            _URLB,
            members=5,  # URLB agent/disagreement.py n_models
            unbiased=True,  # ditto: torch.var
            member_data="all",  # ditto
            keep=1.0,  # no effect
        ),
        combine=_SUM,
    ),
)
