"""Published settings of the SND methods, as data; every value is followed by its source.

SND is Iskandor/SND@2cada68: AtariModel its ``modules/rnd_models/RNDModelAtari.py``, Encoder
``modules/encoders/EncoderAtari.py``, json ``config/ppo.config.json``, loop ``experiment/ppo_nenv_experiment.py``. Each
published method has three presets:

* ``pechac2024_corrected``, the default: as published on Atari, but the last step of each rollout is bootstrapped like any
other;
* ``pechac2024``: as published on Atari, 96 x 96 pixels, that mistake included;
* ``pechac2024_procgen``: as published on ProcGen, 64 x 64 x 3, that mistake included.

Presets cannot know the game: eta is the one that most games have, `ETA` has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from harness import Preset

_PAPER = "Pechac et al. 2024, arXiv 2302.11563: code of Iskandor/SND@2cada68"

ETA: Mapping[str, Mapping[str, float]] = {
    "snd_v": {
        **dict.fromkeys(("montezuma_revenge", "gravitar", "venture", "private_eye", "pitfall", "solaris"), 0.5),
        **dict.fromkeys(("caveflyer", "coinrun", "jumper", "climber"), 0.5),
    },
    "snd_std": {
        "montezuma_revenge": 1.0,
        "gravitar": 1.0,
        "venture": 0.25,
        "private_eye": 0.5,
        "pitfall": 1.0,
        "solaris": 0.5,
        "caveflyer": 0.5,
        "coinrun": 0.25,
        "jumper": 1.0,
        "climber": 1.0,
    },
    "snd_vic": {
        **dict.fromkeys(("montezuma_revenge", "gravitar", "venture", "private_eye", "pitfall", "solaris"), 0.25),
        **dict.fromkeys(("caveflyer", "coinrun", "jumper", "climber"), 0.5),
    },
}
"""eta for every game of the study (SND json), by method and task name."""

_COMMON: Mapping[str, Any] = {
    "bonus_on": "obs",  # SND loop: the error of the state before the action
    "frames": "newest",  # AtariModel preprocess: channel 0, the newest there
    "observation_normalisation": "none",  # json: cnd_preprocess 0 in every configuration
    "observation_clip": 1.0,  # AtariModel preprocess, for its mode 2
    "architecture": "auto",
    "hidden": (128, 128),  # not published: SND was on images
    "feature_dim": 512,  # AtariModel
    "predictor_layers": 2,  # AtariModel: fc2, fc3
    "bonus_clip": 1.0,  # SND loop
    "bonus_normalisation": "none",  # SND loop: its running statistics are never applied
    "bonus_gamma": 0.99,  # no effect without that normalisation
    "learning_rate": 1e-4,  # json: motivation_lr
    "adam_epsilon": 1e-8,  # torch's default
    "epochs": 1,  # SND motivation: one pass
    "minibatches": 32,  # json: batch_size 512 of trajectory_size 16384
    "minibatch_order": "time",  # SND motivation: in stored order
}

_NO_AUGMENTATION: Mapping[str, Any] = {
    "image_augmentations": (),
    "vector_augmentations": (),
    "augmentation_probability": 1.0,  # no effect
    "mask_probability": 0.1,  # no effect
    "tile_sizes": (1, 2, 4, 8, 12, 16),  # no effect
    "noise": 0.2,  # no effect
    "shift": 4,  # no effect
}

_V: Mapping[str, Any] = {
    **_COMMON,
    "target_channels": (16, 32, 64, 64),  # Encoder SNDVEncoderAtari
    "predictor_channels": (16, 32, 64, 64),  # AtariModel SNDVModelAtari
    "activation": "elu",  # both
    "target_gain": sqrt(2),  # Encoder
    "predictor_gain": sqrt(2),  # AtariModel
    "eta": 0.5,  # json
    "distillation": "mean",  # AtariModel loss_function
    "keep": 0.25,  # AtariModel loss_function: dropout 0.75
    "image_augmentations": ("mask", "noise"),  # Encoder augment
    "vector_augmentations": ("mask", "noise"),  # not published
    "augmentation_probability": 0.5,  # Encoder augment
    "mask_probability": 0.1,  # Encoder aug_mask_tiles
    "tile_sizes": (1, 2, 4, 8, 12, 16),  # Encoder aug_mask_tiles; 12 for 96 pixels only, as it does not divide 64
    "noise": 0.2,  # Encoder aug_noise
    "shift": 4,  # no effect
    "pair_share": 0.125,  # AtariModel: batch_size // 8 pairs
    "close_share": 0.5,  # AtariModel sample_states: far_ratio
    "magnitude_threshold": 200.0,  # Encoder loss_function
}

_STD: Mapping[str, Any] = {
    **_COMMON,
    "target_channels": (32, 64, 64, 128),  # Encoder ST_DIM_CNN
    "predictor_channels": (32, 64, 64, 128),  # AtariModel STDModelAtari
    "activation": "relu",  # both
    "target_gain": 0.5,  # Encoder ST_DIM_CNN
    "predictor_gain": 0.5,  # AtariModel STDModelAtari
    "eta": 1.0,  # json: montezuma, gravitar, pitfall; others in ETA
    "distillation": "sum",  # AtariModel loss_function_crossentropy
    "keep": 1.0,  # ditto: no mask
    "local_layer": None,  # Encoder ST_DIM_CNN: the third of four convolutions
    "predicts": "obs",  # Encoder: predictions from the next state
    "softmax_over": "predictions",  # Encoder: class axis 1 of (positions, N, N)
    "deviation_weight": 1e-4,  # AtariModel: beta1
    "norm_weight": 1e-4,  # json: cnd_loss_target_reg
}

_VIC: Mapping[str, Any] = {
    **_COMMON,
    **_NO_AUGMENTATION,
    "target_channels": (32, 64, 64, 128),  # Encoder ST_DIM_CNN
    "predictor_channels": (32, 64, 64, 128),  # AtariModel VICRegModelAtari
    "activation": "relu",  # both
    "target_gain": 0.5,  # Encoder ST_DIM_CNN
    "predictor_gain": sqrt(2),  # AtariModel VICRegModelAtari
    "eta": 0.25,  # json, Atari
    "distillation": "mean",  # AtariModel VICRegModelAtari
    "keep": 1.0,  # ditto: no mask
    "second_view": "next_obs",  # Encoder VICRegEncoderAtari
    "projector": (),  # ditto: none
    "invariance_weight": 1.0,  # ditto
    "variance_weight": 1.0,  # ditto
    "covariance_weight": 1 / 25,  # ditto
    "variance_epsilon": 1e-4,  # ditto
}

_COMBINE: Mapping[str, Any] = {
    "mode": "two_critics",
    "extrinsic_weight": 2.0,  # json: ext_adv_scale
    "intrinsic_weight": 1.0,  # json: int_adv_scale
    "intrinsic_gamma": 0.99,  # json: gamma
    "episodic": True,  # SND algorithms/PPO.py: one mask for both streams
}
_AS_PUBLISHED: Mapping[str, Any] = {**_COMBINE, "last_step": "zero"}  # SND algorithms/PPO.py: calc_advantage ends a step early


def _published(atari: Mapping[str, Any], procgen: Mapping[str, Any]) -> tuple[Preset, Preset, Preset]:
    """The corrected default, Atari as published, and ProcGen with what differs there."""
    corrected = {**_COMBINE, "last_step": "bootstrap"}
    return (
        Preset(name="pechac2024_corrected", source=f"{_PAPER}; last step corrected", config=atari, combine=corrected),
        Preset(name="pechac2024", source=_PAPER, config=atari, combine=_AS_PUBLISHED),
        Preset(name="pechac2024_procgen", source=_PAPER, config={**atari, **procgen}, combine=_AS_PUBLISHED),
    )


SND_V = _published(_V, {})
SND_STD = _published(
    _STD,
    {
        "target_channels": (32, 64, 64, 64),  # SND EncoderProcgen.py
        "predictor_channels": (32, 64, 64, 64),  # SND RNDModelProcgen.py
    },
)
SND_VIC = _published(
    _VIC,
    {
        "target_channels": (32, 64, 64, 64),  # SND EncoderProcgen.py
        "predictor_channels": (32, 64, 64, 128),  # SND RNDModelProcgen.py keeps 128
        "eta": 0.5,  # json, ProcGen
    },
)
BEYOND_THE_PAPER = (
    Preset(
        name="in_snd",
        source="no publication: the objective's own defaults, combined as in Pechac et al. 2024, arXiv 2302.11563",
        combine={**_COMBINE, "last_step": "bootstrap"},
    ),
)
