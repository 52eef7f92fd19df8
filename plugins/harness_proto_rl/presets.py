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
        "reset": ["critics", "optimizers", "replay"],  # ALGORITHMS of the paper; PROTO train.py: a buffer for each phase
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
        "reset": ["optimizers", "replay"],  # URLB finetune.py: a new agent with old networks
        "extrinsic_weight": 1.0,  # URLB agent/proto.py: extrinsic reward only
        "intrinsic_weight": 0.0,
    },
}
