"""Settings of RE3 and APT; `harness_episodic.presets` says what is cited how."""

from __future__ import annotations

from harness import Preset

RE3 = (
    Preset(
        name="seo2021_a2c",
        source="Seo et al. 2021, arXiv 2102.09430, on MiniGrid: RE3 a2c_re3",
        config={
            "feature_dim": 64,  # RE3 a2c_re3 model.py: 64 channels of one cell; its convolutions are 2x2 with a pooling
            "layer_norm": False,  # ditto
            "neighbours": 5,  # RE3 a2c_re3 torch_ac/algos/base.py: the five nearest, the state itself among them
            "average": "mean",  # ditto: average_entropy
            "log": True,  # RE3 a2c_re3 torch_ac/algos/a2c.py: log(x / std + 1)
            "distance_scale": "std",  # ditto
            "bonus_on": "next_obs",  # there the state before, added to its return
            "bank_size": 20_000,  # a choice of this package: all states so far there
            "observation_normalisation": "none",
            "bonus_normalisation": "none",
        },
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.005,  # RE3 a2c_re3 run_sent.sh --beta; added to advantages and returns there
        },
    ),
    Preset(
        name="seo2021_rad",
        source="Seo et al. 2021, arXiv 2102.09430, on DeepMind Control: RE3 rad_re3/config.yaml",
        config={
            "feature_dim": 50,  # RE3 config.yaml random_encoder
            "layer_norm": True,  # RE3 re3.py Encoder: LayerNorm and tanh
            "neighbours": 4,  # RE3 re3.py: kthvalue(k + 1) with k 3 of config.yaml
            "average": "kth",  # RE3 config.yaml average_state_entropy false
            "log": False,  # RE3 re3.py update_critic
            "distance_scale": "std",  # RE3 config.yaml normalize_state_entropy
            "bonus_on": "obs",  # RE3 re3.py: features of the sampled observations
            "bank_size": 100_000,  # RE3 config.yaml replay_buffer_capacity
            "observation_normalisation": "none",
            "bonus_normalisation": "none",
        },
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.05,  # RE3 config.yaml beta_init
            "decay": 1e-5,  # RE3 config.yaml beta_decay
        },
    ),
    Preset(
        name="rllte",
        source="RLLTE re3.py, without its look ahead: there a state is compared with later ones of its rollout",
        config={
            "feature_dim": 128,  # RLLTE re3.py latent_dim
            "layer_norm": False,
            "neighbours": 6,  # RLLTE re3.py: kthvalue(k + 1) with k 5
            "average": "kth",  # RLLTE re3.py average_entropy False
            "log": True,  # RLLTE re3.py compute
            "distance_scale": "none",
            "bonus_on": "obs",  # RLLTE re3.py compute
            "bank_size": 8_000,  # RLLTE re3.py storage_size 1000 for each environment, here together for 8
            "observation_normalisation": "standardise",  # RLLTE re3.py obs_norm_type "rms"
            "bonus_normalisation": "bonus_std",  # RLLTE re3.py rwd_norm_type "rms"
        },
        combine={"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 1.0},  # RLLTE re3.py beta
    ),
)

_REWARD_FREE = {"mode": "sum", "extrinsic_weight": 0.0, "intrinsic_weight": 1.0}  # URLB: pre-training without reward

APT = (
    Preset(
        name="ind_apt",
        source="APT without a learnt representation, on states; URLB has the entropy (utils.py PBE, with the settings of "
        "agent/aps.yaml), but no such agent",
        config={
            "representation": "observations",
            "bonus_on": "next_obs",  # URLB agent/aps.py compute_intr_ent_reward
            "neighbours": 12,  # URLB agent/aps.yaml knn_k
            "average": "mean",  # knn_avg
            "log": True,  # URLB utils.py PBE
            "distance_scale": "mean",  # knn_rms
            "distance_clip": 1e-4,  # knn_clip
            "bank_size": 0,
            "bonus_normalisation": "none",
        },
        combine=_REWARD_FREE,
    ),
    Preset(
        name="on_policy",
        source="a choice of this package: as ind_apt, with neighbours among the states of the newest steps",
        config={
            "representation": "random",
            "feature_dim": 64,
            "bonus_on": "next_obs",
            "neighbours": 12,
            "average": "mean",
            "log": True,
            "distance_scale": "mean",
            "distance_clip": 1e-4,
            "bank_size": 4_096,
            "bonus_normalisation": "none",
        },
        combine={"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 0.01},
    ),
)

_ICM_APT = {
    "hidden": [],  # URLB agent/icm_apt.py: the trunk is one linear layer
    "feature_dim": 512,  # URLB agent/icm_apt.yaml icm_rep_dim
    "hidden_dim": 1024,  # URLB agent/icm_apt.yaml
    "inverse_weight": 1.0,  # URLB agent/icm_apt.py update_icm
    "init_gain": 1.0,  # URLB utils.py weight_init: orthogonal
    "bonus_on": "obs",  # URLB agent/icm_apt.py compute_intr_reward: get_rep(obs, action)
    "neighbours": 12,  # URLB agent/icm_apt.yaml knn_k
    "average": "mean",  # knn_avg
    "log": True,  # URLB utils.py PBE
    "distance_scale": "none",  # knn_rms false
    "distance_clip": 0.0,  # knn_clip
    "bank_size": 0,
    "optimizer": "adam",  # URLB agent/icm_apt.py
    "learning_rate": 1e-4,  # URLB agent/icm_apt.yaml lr
    "optimizer_epsilon": 1e-8,  # torch's default
    "max_grad_norm": None,
    "epochs": 1,  # one step for each sampled batch
    "minibatches": 1,  # ditto
    "bonus_normalisation": "none",
}

ICM_APT = (
    Preset(
        name="urlb",
        source="Laskin et al. 2021, arXiv 2110.15191: URLB agent/icm_apt.yaml",
        config=_ICM_APT,
        combine=_REWARD_FREE,
    ),
    Preset(
        name="on_policy",
        source="a choice of this package: as urlb in a smaller space, with neighbours among the states of the newest steps",
        config=_ICM_APT | {"feature_dim": 64, "hidden_dim": 256, "bonus_on": "next_obs", "bank_size": 4_096, "minibatches": 4},
        combine={"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 0.01},
    ),
)
