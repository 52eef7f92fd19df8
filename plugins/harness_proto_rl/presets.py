"""Published settings of Proto-RL and of the SAC it was published with, as data; every value is followed by its source.

PROTO is denisyarats/proto@e9899b4, URLB is rll-research/url_benchmark@bb98f0c.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import AlgorithmPreset, Preset

PHASES_YARATS2021: Mapping[str, Mapping[str, Any]] = {
    "pretrain": {
        "share": 0.5,  # PROTO config.yaml: num_expl_steps 250000 of num_train_steps 500000
        "extrinsic_weight": 0.0,  # PROTO proto.py update: the bonus alone
        "intrinsic_weight": 1.0,  # ditto
    },
    "finetune": {
        "train_reward": False,  # PROTO proto.py update: representation and prototypes are trained before only
        "reset": ["critics", "optimizers", "replay"],  # PROTO proto.py assign_modules_from leaves critics out; train.py
        "extrinsic_weight": 1.0,  # PROTO proto.py update
        "intrinsic_weight": 0.2,  # PROTO config.yaml: intr_coef
    },
}

PHASES_LASKIN2021: Mapping[str, Mapping[str, Any]] = {
    "pretrain": {
        "share": 20 / 21,  # URLB: 2 million frames, then 100 thousand
        "extrinsic_weight": 0.0,  # URLB pretrain.yaml: reward_free
        "intrinsic_weight": 1.0,
    },
    "finetune": {
        "train_reward": False,  # URLB agent/proto.py: only while reward_free
        "reset": ["optimizers", "replay"],  # URLB finetune.py: a new agent with old networks, its critic_target aside (README)
        "extrinsic_weight": 1.0,  # URLB agent/proto.py: extrinsic reward only
        "intrinsic_weight": 0.0,
    },
}

YARATS2021 = Preset(
    name="yarats2021",
    source="Yarats et al. 2021, arXiv 2102.11271, and denisyarats/proto@e9899b4",
    config={
        "encoder": "auto",  # PROTO proto.py Encoder; vectors as in URLB, for the paper was on images
        "channels": 32,  # PROTO proto.py Encoder
        "hidden": (256, 256),  # no effect: for encoder mlp only
        "projection_dim": 128,  # PROTO config.yaml: proj_dim
        "predictor_hidden": 512,  # ditto: pred_dim
        "prototypes": 512,  # ditto: num_protos
        "temperature": 0.1,  # ditto: T
        "sinkhorn_iterations": 3,  # ditto: num_iters
        "target_rate": 0.05,  # ditto: encoder_target_tau
        "update_every": 2,  # ditto: encoder_update_frequency
        "learning_rate": 1e-4,  # ditto: lr
        "adam_epsilon": 1e-8,  # torch's default
        "shift": 4,  # PROTO proto.py ProtoAgent: ReplicationPad2d(4), then a crop
        "neighbours": 3,  # PROTO config.yaml: topk
        "queue_size": 2048,  # ditto
    },
    phases=PHASES_YARATS2021,
    combine={
        "mode": "sum",  # PROTO proto.py update: one critic for the sum
        "extrinsic_weight": 1.0,  # ditto
        "intrinsic_weight": 0.2,  # PROTO config.yaml: intr_coef
    },
)

LASKIN2021 = Preset(
    name="laskin2021",
    source="Proto-RL on states in Laskin et al. 2021, arXiv 2110.15191: rll-research/url_benchmark@bb98f0c agent/proto.yaml",
    config={
        **YARATS2021.config,  # URLB agent/proto.yaml has the same but for
        "update_every": 1,  # URLB agent/proto.py update: with every update of the agent
    },
    phases=PHASES_LASKIN2021,
    combine=YARATS2021.combine,
)

SAC_YARATS2021 = AlgorithmPreset(
    algorithm="sac",
    preset=Preset(
        name="yarats2021",
        source="Yarats et al. 2021, arXiv 2102.11271, and denisyarats/proto@e9899b4",
        config={
            "n_envs": 1,  # PROTO train.py
            "buffer_size": 100_000,  # PROTO config.yaml: replay_buffer_capacity
            "learning_starts": 1000,  # ditto: num_random_steps, num_seed_steps
            "batch_size": 512,  # ditto
            "train_freq": 1,  # PROTO train.py: an update before every step
            "gradient_steps": 1,  # ditto
            "tau": 0.01,  # PROTO config.yaml: critic_target_tau
            "gamma": 0.99,  # ditto: discount
            "learning_rate": 1e-4,  # ditto: lr
            "ent_coef": "auto_0.1",  # ditto: init_temperature
            "target_update_interval": 2,  # ditto: critic_target_update_frequency
            "net_arch": [1024, 1024],  # ditto: hidden_dim, hidden_depth
            "trunk_dim": 50,  # ditto: feature_dim
        },
    ),
)
