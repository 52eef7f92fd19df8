"""Published settings of the models of states and sequences, as data; every value is followed by its source.

None of these was published as a bonus but for the VAE of state marginal matching: what concerns the bonus is ours. Code is
cited as repository@commit: URLB is rll-research/url_benchmark@bb98f0c, WM ctallec/world-models@d6abd9c, WMO
hardmaru/WorldModelsExperiments@fd982b9, ZOO masa-su/pixyzoo@1fa0d9d, E2CC ericjang/e2c@26e9822, RLKIT vitchyr/rlkit@7daf34b.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import Preset

_SUM: Mapping[str, Any] = {
    "mode": "sum",  # ours, as are both weights
    "extrinsic_weight": 1.0,
    "intrinsic_weight": 1.0,
}

_COMMON: Mapping[str, Any] = {
    "observation_clip": 5.0,  # ours
    "warm_up_steps": 0,  # ours
    "init_gain": 1.0,  # ours, but for URLB utils.py weight_init
    "eta": 1.0,  # ours
    "bonus_gamma": 0.99,  # ours
    "adam_epsilon": 1e-8,  # torch's default
    "epochs": 1,  # ours: the originals learn from stored data
}

_SMM: Mapping[str, Any] = {
    **_COMMON,
    "frames": "newest",  # ours: for images, where URLB's agent encodes
    "observation_normalisation": "none",  # URLB agent/smm.py: states as they are
    "architecture": "auto",  # ours; URLB agent/smm.py has other convolutions
    "hidden": (150, 150),  # URLB agent/smm.py VAE.make_networks
    "latent_dim": 128,  # ditto: code_dim
    "posterior_scale": "log_variance",  # ditto: enc_logvar
    "likelihood": "squared",  # ditto: mse_loss
    "pixel_reduction": "mean",  # ditto: log_prob.mean()
    "batch_reduction": "mean",  # ditto
    "beta": 0.5,  # URLB agent/smm.yaml vae_beta
    "kl_floor": 0.0,
    "bonus": "reconstruction",  # URLB agent/smm.py: h_s_z, of a sample there, of s
    "bonus_reduction": "sum",  # ditto: log_prob.sum
    "bonus_normalisation": "none",  # ditto
    "learning_rate": 1e-2,  # URLB agent/smm.yaml vae_lr
    "gradient_clip": "none",
    "gradient_bound": 40.0,  # no effect
    "minibatches": 1,  # URLB agent/smm.py: the agent's batch
    "minibatch_order": "shuffled",  # ours
}

VAE = (
    Preset(
        name="summed",
        source="ours: Lee et al. 2019, arXiv 1906.05274, in URLB's form, with errors summed in the loss as in the bonus",
        config={
            **_SMM,
            "pixel_reduction": "sum",  # ours: beside a mean over many numbers the divergence wins, and no latent is used
            "learning_rate": 1e-3,  # ours
            "minibatches": 8,  # ours
        },
        combine=_SUM,
    ),
    Preset(
        name="smm",
        source="Lee et al. 2019, arXiv 1906.05274, without skills: rll-research/url_benchmark@bb98f0c agent/smm.py",
        config=_SMM,
        combine=_SUM,
    ),
    Preset(
        name="beta",
        source="Higgins et al. 2017 (ICLR) in the scaling of vitchyr/rlkit@7daf34b; beta unchecked in the paper",
        config={
            **_SMM,
            "latent_dim": 16,  # RLKIT: representation sizes of 4 to 16
            "likelihood": "squared",  # RLKIT rlkit/torch/vae/conv_vae.py: gaussian_identity_variance
            "pixel_reduction": "mean",  # ditto: minus the mean squared error, over pixels too
            "beta": 20.0,  # RLKIT, of settings between 2.5 and 30
            "bonus": "elbo",  # ours
            "bonus_reduction": "mean",  # as in the loss
            "bonus_normalisation": "return_std",  # ours
            "learning_rate": 1e-3,  # RLKIT rlkit/torch/vae/vae_trainer.py
            "minibatches": 8,  # ours
        },
        combine=_SUM,
    ),
)

_HA2018: Mapping[str, Any] = {
    **_COMMON,
    "frames": "newest",  # WMO carracing: one image
    "observation_normalisation": "auto",  # WMO: images in [0, 1]; ours for vectors
    "architecture": "auto",  # WMO carracing/vae/vae.py: its convolutions
    "hidden": (150, 150),  # ours: WMO knows images only
    "latent_dim": 32,  # WMO carracing/vae/vae.py z_size
    "posterior_scale": "log_variance",  # ditto: logvar
    "likelihood": "squared",  # ditto
    "pixel_reduction": "sum",  # ditto
    "batch_reduction": "mean",  # ditto
    "beta": 1.0,  # ditto
    "kl_floor": 0.5,  # ditto: kl_tolerance
    "recurrent": 256,  # WMO carracing/rnn/rnn.py
    "components": 5,  # ditto: num_mixture
    "mixture": "per_dimension",  # ditto
    "epochs": 4,  # ours: the original learns from stored data until it has converged
    "predict_reward": False,
    "predict_done": False,  # ditto; its Doom experiment predicts ends
    "segment": 32,  # WM trainmdrnn.py; WMO: whole episodes of 1000
    "segments_per_batch": 16,  # WM trainmdrnn.py; WMO 100
    "bonus_normalisation": "return_std",  # ours
    "learning_rate": 1e-3,  # WMO carracing/rnn/rnn.py, decaying to 1e-5 there; its VAE 1e-4
    "gradient_clip": "value",  # ditto, of the memory model alone
    "gradient_bound": 1.0,  # ditto: grad_clip
    "minibatches": 8,  # ours
    "minibatch_order": "shuffled",  # ours
}

WORLD_MODEL = (
    Preset(
        name="ha2018",
        source="Ha and Schmidhuber 2018, arXiv 1803.10122, and hardmaru/WorldModelsExperiments@fd982b9",
        config=_HA2018,
        combine=_SUM,
    ),
    Preset(
        name="ctallec",
        source="ctallec/world-models@d6abd9c",
        config={
            **_HA2018,
            "posterior_scale": "log_deviation",  # WM models/vae.py: logsigma
            "batch_reduction": "sum",  # WM trainvae.py
            "kl_floor": 0.0,  # ditto
            "mixture": "shared",  # WM models/mdrnn.py gmm_loss
            "predict_done": True,  # WM trainmdrnn.py: bce
            "gradient_clip": "none",  # ditto; RMSprop there
        },
        combine=_SUM,
    ),
)

TD_VAE = (
    Preset(
        name="gregor2019",
        source="Gregor et al. 2019, arXiv 1806.03107, as in masa-su/pixyzoo@1fa0d9d with its frame index corrected",
        config={
            **_COMMON,
            "frames": "newest",  # ZOO TD-VAE: one image
            "observation_normalisation": "auto",  # ZOO: pixels in [0, 1]; ours for vectors
            "processed_dim": 50,  # ZOO TD-VAE/model.py processed_x_size, unchecked
            "belief_dim": 50,  # ZOO TD-VAE/model.py
            "latent_dim": 8,  # ditto
            "hidden": 50,  # ZOO TD-VAE/distribution.py
            "epochs": 4,  # ours: the original learns from stored data until it has converged
            "likelihood": "auto",  # ditto: Bernoulli; ours for vectors
            "subtract_floor": True,  # ours for the bonus; ankitkv/TD-VAE@36eb6c7 does it in the loss
            "segment": 16,  # ZOO TD-VAE, sequence
            "segments_per_batch": 32,  # ditto, batch
            "bonus_normalisation": "return_std",  # ours
            "learning_rate": 5e-4,  # ZOO TD-VAE/model.py
            "gradient_clip": "value",  # ditto
            "gradient_bound": 10.0,  # ditto
        },
        combine=_SUM,
    ),
)

E2C = (
    Preset(
        name="watter2015",
        source="Watter et al. 2015, arXiv 1506.07365, as in ericjang/e2c@26e9822",
        config={
            **_COMMON,
            "frames": "newest",  # E2CC e2c_plane.py: one image
            "observation_normalisation": "auto",  # ditto: pixels in [0, 1]; ours for vectors
            "latent_dim": 2,  # E2CC e2c_plane.py z_dim, for the plane
            "encoder_hidden": (150, 150, 150),  # E2CC e2c_plane.py
            "transition_hidden": (100, 100),  # ditto
            "decoder_hidden": (200, 200),  # ditto
            "likelihood": "auto",  # ditto: Bernoulli; ours for vectors
            "transition_weight": 0.25,  # E2CC e2c_plane.py; the paper's lambda
            "bonus": "divergence",  # ours
            "bonus_normalisation": "return_std",  # ours
            "learning_rate": 1e-4,  # E2CC e2c_plane.py
            "adam_beta1": 0.1,  # ditto
            "adam_beta2": 0.1,  # ditto
            "gradient_clip": "none",
            "gradient_bound": 40.0,  # no effect
            "minibatches": 8,  # ours; batches of 128 there
            "minibatch_order": "shuffled",  # ours
        },
        combine=_SUM,
    ),
)
