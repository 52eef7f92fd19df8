"""Settings of RIDE, E3B, NGU and pseudo-counts; `harness_episodic.presets` says what is cited how."""

from __future__ import annotations

from harness import Preset

_RIDE = {
    "episodic": "visits",  # RIDE utils.py: episode_state_count
    "architecture": "auto",  # raileanu2020 for cells: RIDE models.py MinigridStateEmbeddingNet
    "feature_dim": 128,  # ditto: what the convolutions give for 7 x 7 cells
    "init_gain": 1.4142135623730951,  # ditto: orthogonal with the gain of ReLU
    "inverse_hidden": 256,  # RIDE models.py MinigridInverseDynamicsNet
    "forward_hidden": 256,  # RIDE models.py MinigridForwardDynamicsNet
    "forward_loss": "norm",  # RIDE losses.py compute_forward_dynamics_loss
    "forward_weight": 10.0,  # RIDE arguments.py --forward_loss_coef
    "inverse_weight": 0.1,  # RIDE arguments.py --inverse_loss_coef
    "loss_scale": 100.0,  # RIDE losses.py: sums over time, with --unroll_length 100
    "optimizer": "rmsprop",  # RIDE ride.py
    "learning_rate": 1e-4,  # RIDE arguments.py --learning_rate; annealed to 0 there
    "optimizer_epsilon": 1e-5,  # RIDE arguments.py --epsilon
    "max_grad_norm": 40.0,  # RIDE arguments.py --max_grad_norm; of each network by itself there
    "epochs": 1,  # every batch of the learner once
    "minibatches": 4,  # not published: there, unrolls of 100 steps by 32
    "minibatch_order": "shuffled",
    "bonus_normalisation": "none",
}
_CLIPPED = {"mode": "sum", "extrinsic_weight": 1.0, "clip_total": 1.0}  # RIDE ride.py and E3B e3b.py: clamp of the sum to +-1

RIDE = (
    Preset(
        name="raileanu2020",
        source="Raileanu and Rocktaeschel 2020, arXiv 2002.12292: the defaults of RIDE src/arguments.py",
        config=_RIDE,
        combine=_CLIPPED | {"intrinsic_weight": 0.5},  # RIDE arguments.py --intrinsic_reward_coef; entropy 0.001
    ),
    Preset(
        name="multiroom",
        source="the commands in RIDE README.md for MultiRoom-N7-S4, MultiRoom-N10-S4 and KeyCorridor-S3-R3",
        config=_RIDE,
        combine=_CLIPPED | {"intrinsic_weight": 0.1},  # RIDE README.md --intrinsic_reward_coef; entropy 0.0005
    ),
    Preset(
        name="rllte",
        source="RLLTE ride.py, which is another method: squared moves times pseudo-counts of the state before",
        config=_RIDE
        | {
            "episodic": "kernel",  # RLLTE ride.py compute and watch
            "neighbours": 10,  # RLLTE ride.py k
            "forward_loss": "mean",  # RLLTE ride.py update
            "forward_weight": 1.0,  # ditto
            "inverse_weight": 1.0,  # ditto
            "loss_scale": 1.0,  # ditto
            "optimizer": "adam",  # ditto
            "learning_rate": 1e-3,  # RLLTE ride.py lr
            "optimizer_epsilon": 1e-8,  # torch's default
            "max_grad_norm": None,
            "bonus_normalisation": "bonus_std",  # RLLTE ride.py rwd_norm_type "rms"
        },
        combine={"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 1.0},  # RLLTE ride.py beta
    ),
)

_E3B = {
    "ridge": 0.1,  # E3B arguments.py --ridge
    "inverse_hidden": 256,  # E3B models.py MinigridInverseDynamicsNet
    "optimizer": "adam",  # E3B e3b.py: encoder and inverse model have an Adam of their own
    "learning_rate": 1e-4,  # E3B arguments.py --predictor_learning_rate
    "optimizer_epsilon": 1e-8,  # torch's default
    "max_grad_norm": 40.0,  # E3B arguments.py --max_grad_norm; of each network by itself there
    "epochs": 1,  # every batch of the learner once
    "minibatches": 4,  # not published: there, unrolls of 80 steps by 8
    "minibatch_order": "shuffled",
    "bonus_normalisation": "bonus_std",  # E3B arguments.py --reward_norm int
}

E3B = (
    Preset(
        name="henaff2022",
        source="Henaff et al. 2022, arXiv 2210.05805: the command in E3B README.md and the defaults of src/arguments.py",
        config=_E3B
        | {
            "feature_dim": 1024,  # E3B arguments.py --hidden_dim
            "bonus_on": "obs",  # E3B utils.py act: encodes before it steps
            "first_bonus": "zero",  # ditto: b = 0 where step == 0
        },
        combine=_CLIPPED | {"intrinsic_weight": 1.0},  # E3B README.md --intrinsic_reward_coef; entropy 0.005, discount 0.99
    ),
    Preset(
        name="compact",
        source="a choice of this package: a sixteenth of the published cost, and a transition is worth where it led",
        config=_E3B | {"feature_dim": 256, "bonus_on": "next_obs", "first_bonus": "keep"},
        combine=_CLIPPED | {"intrinsic_weight": 1.0},
    ),
    Preset(
        name="rllte",
        source="RLLTE e3b.py",
        config=_E3B
        | {
            "feature_dim": 128,  # RLLTE e3b.py latent_dim
            "bonus_on": "obs",  # RLLTE e3b.py compute
            "first_bonus": "keep",  # ditto
            "learning_rate": 1e-3,  # RLLTE e3b.py lr
            "max_grad_norm": None,
        },
        combine={"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 1.0},  # RLLTE e3b.py beta
    ),
)

_BADIA2020 = {
    "architecture": "auto",  # convolutions of DQN: unchecked
    "feature_dim": 32,  # unchecked; RLLTE pseudo_counts.py latent_dim and DRZ agree
    "inverse_hidden": 128,  # unchecked
    "neighbours": 10,  # paper section 2; DRZ curiosity.py num_neighbors
    "fewer_neighbours": "zero",  # DRZ curiosity.py: counter <= num_neighbors; the paper does not say
    "kernel_epsilon": 1e-4,  # unchecked: the paper's text is quoted with 1e-3, RLLTE and DRZ have 1e-4
    "cluster_distance": 0.008,  # unchecked; RLLTE and DRZ agree
    "count_constant": 1e-3,  # paper section 2
    "max_similarity": 8.0,  # unchecked; RLLTE and DRZ agree
    "distance_mean": "every_query",  # paper, algorithm 1
    "memory": 30_000,  # unchecked
    "bonus_on": "next_obs",  # paper: x_t after the action
    "optimizer": "adam",  # unchecked
    "learning_rate": 5e-4,  # unchecked
    "optimizer_epsilon": 1e-4,  # unchecked
    "epochs": 1,
    "minibatches": 4,  # not published: the paper learns from the last 5 frames of replayed sequences
    "minibatch_order": "shuffled",
    "bonus_normalisation": "none",
}
_RLLTE_COUNTS = _BADIA2020 | {
    "inverse_hidden": 256,  # RLLTE model.py InverseDynamicsEncoder, unchecked
    "fewer_neighbours": "count",  # RLLTE pseudo_counts.py watch
    "distance_mean": "rollouts",  # RLLTE pseudo_counts.py compute
    "memory": None,  # RLLTE: no bound
    "bonus_on": "obs",  # RLLTE pseudo_counts.py watch
    "learning_rate": 1e-3,  # RLLTE pseudo_counts.py lr
    "optimizer_epsilon": 1e-8,  # torch's default
    "bonus_normalisation": "bonus_std",  # RLLTE rwd_norm_type "rms"
}
_NGU_COMBINE = {"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 0.3}  # paper: the largest beta of its 32 policies
_RLLTE_COMBINE = {"mode": "sum", "extrinsic_weight": 1.0, "intrinsic_weight": 1.0}  # RLLTE beta

PSEUDO_COUNTS = (
    Preset(
        name="badia2020",
        source="the episodic part of Badia et al. 2020, arXiv 2002.06038; what was not read in the paper is unchecked",
        config=_BADIA2020,
        combine=_NGU_COMBINE,
    ),
    Preset(name="rllte", source="RLLTE pseudo_counts.py", config=_RLLTE_COUNTS, combine=_RLLTE_COMBINE),
)

NGU = (
    Preset(
        name="badia2020",
        source="Badia et al. 2020, arXiv 2002.06038, with one policy; what was not read in the paper is unchecked",
        config=_BADIA2020
        | {
            "lifelong": "standardised",  # paper section 2
            "max_factor": 5.0,  # paper section 2: L
            "rnd_feature_dim": 128,  # unchecked
            "rnd_learning_rate": 5e-4,  # unchecked
            "rnd_observations": "standardise",  # as RND; unchecked
        },
        combine=_NGU_COMBINE,
    ),
    Preset(
        name="rllte",
        source="RLLTE ngu.py",
        config=_RLLTE_COUNTS
        | {
            "lifelong": "scaled",  # RLLTE ngu.py compute: 1 + error / deviation
            "max_factor": 5.0,  # RLLTE ngu.py mrs
            "rnd_feature_dim": 32,  # RLLTE ngu.py latent_dim
            "rnd_learning_rate": 1e-3,  # RLLTE ngu.py lr
            "rnd_observations": "standardise",  # RLLTE ngu.py obs_norm_type "rms"
            "bonus_normalisation": "none",  # its two parts are divided by their deviations, not their product
        },
        combine=_RLLTE_COMBINE,
    ),
)
