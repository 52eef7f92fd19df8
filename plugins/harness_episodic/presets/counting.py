"""Settings of counts and NovelD; `harness_episodic.presets` says what is cited how."""

from __future__ import annotations

from harness import Preset

COUNTS = (
    Preset(
        name="episodic",
        source="episodic visits as in RIDE src/utils.py; that they alone are the bonus is the E3B authors' baseline "
        "(arXiv 2306.03236, section 3); the weight is a choice of this package",
        config={
            "scope": "episode",  # RIDE utils.py: episode_state_count
            "code": "bytes",  # ditto: the tuple of the whole observation
        },
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.01,  # a choice of this package
        },
    ),
    Preset(
        name="lifelong",
        source="the count-based baseline of RIDE: src/algos/count.py; the weight is that of the code's default",
        config={
            "scope": "lifetime",  # RIDE utils.py: train_state_count
            "code": "bytes",  # ditto
        },
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.5,  # RIDE arguments.py --intrinsic_reward_coef; the paper's for this baseline is unchecked
            "clip_total": 1.0,  # RIDE count.py: clamp of the sum
        },
    ),
    Preset(
        name="product",
        source="lifelong times episodic visits: arXiv 2306.03236 (section 4) multiplies such bonuses; here of counts",
        config={"scope": "product", "code": "bytes"},
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.5,  # a choice of this package
        },
    ),
    Preset(
        name="simhash",
        source="Tang et al. 2017, arXiv 1611.04717; numbers unchecked",
        config={
            "scope": "lifetime",  # paper, algorithm 1
            "code": "simhash",  # ditto
            "bits": 64,  # unchecked: between 16 and 256 there
            "image_side": 52,  # unchecked: images of 52 x 52 on Atari
        },
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.01,  # unchecked
        },
    ),
)

_NOVELD_CONFIG = {
    "alpha": 0.5,  # NOV arguments.py --scale_fac
    "architecture": "auto",  # NOV has convolutions up to 512 channels and layers of 1024; see the README
    "feature_dim": 128,  # NOV models.py MinigridMLPEmbeddingNet: 128 outputs
    "predictor_layers": 2,  # ditto: the predictor is wider than the target, not deeper
    "loss": "norm",  # NOV losses.py compute_rnd_loss: norm, summed over time
    "loss_scale": 100.0,  # ditto, with arguments.py --unroll_length 100
    "code": "bytes",  # NOV utils.py: the whole observation
    "optimizer": "adam",  # NOV bebold.py: predictor_optimizer
    "learning_rate": 1e-4,  # NOV arguments.py --predictor_learning_rate
    "optimizer_epsilon": 1e-8,  # torch's default
    "max_grad_norm": 40.0,  # NOV arguments.py --max_grad_norm
    "epochs": 1,  # every batch of the learner once
    "minibatches": 4,  # not published: there, unrolls of 100 steps by 32
    "minibatch_order": "shuffled",
    "bonus_normalisation": "none",
}

NOVELD = (
    Preset(
        name="bebold",
        source="Zhang et al. 2021, arXiv 2012.08621: the defaults of NOV src/arguments.py",
        config=_NOVELD_CONFIG,
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,  # NOV bebold.py
            "intrinsic_weight": 0.5,  # NOV arguments.py --intrinsic_reward_coef
            "clip_total": 1.0,  # NOV bebold.py: clamp of the sum
        },
    ),
    Preset(
        name="noveld_readme",
        source="the command in NOV README.md, for ObstructedMaze-2Dlhb",
        config=_NOVELD_CONFIG,
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 0.05,  # NOV README.md --intrinsic_reward_coef
            "clip_total": 1.0,
        },
    ),
    Preset(
        name="henaff2022",
        source="NovelD as compared with by Henaff et al. 2022, arXiv 2210.05805: E3B src/arguments.py",
        config=_NOVELD_CONFIG | {"alpha": 0.1},  # E3B arguments.py --scale_fac
        combine={
            "mode": "sum",
            "extrinsic_weight": 1.0,
            "intrinsic_weight": 1.0,  # E3B arguments.py --intrinsic_reward_coef
            "clip_total": 1.0,  # E3B arguments.py --clip_rewards
        },
    ),
)
