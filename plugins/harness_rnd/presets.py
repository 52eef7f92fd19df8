"""Published settings of RND and of the PPO it was published with, as data; every value is followed by its source.

Code is cited as repository@commit: ORND is openai/random-network-distillation@f75c0f1, SND is Iskandor/SND@2cada68, CRL is
vwxyzjn/cleanrl@fe8d8a0.
"""

from __future__ import annotations

from math import sqrt

from harness import AlgorithmPreset, Preset

BURDA2018 = Preset(
    name="burda2018",
    source="Burda et al. 2018, arXiv 1810.12894, and openai/random-network-distillation@f75c0f1",
    config={
        "bonus_on": "next_obs",  # ORND policies/cnn_policy_param_matched.py: ph[:, 1:]
        "train_on": "next_obs",  # the same graph computes bonus and loss
        "frames": "newest",  # ditto: the last channel
        "observation_normalisation": "standardise",  # paper section 2.4
        "observation_clip": 5.0,  # paper section 2.4
        "statistics": "chan",  # ORND mpi_util.py RunningMeanStd; updated in ppo_agent.py step, after the bonuses
        "warm_up_steps": 6400,  # ORND run_atari.py: 128 * 50 random steps
        "architecture": "auto",
        "convolutions": "burda2018",  # ORND policies/cnn_policy_param_matched.py
        "leaky_slope": 0.2,  # tf.nn.leaky_relu's default
        "hidden": [128, 128],  # not published: RND was on images
        "feature_dim": 512,  # ORND: rep_size
        "predictor_layers": 2,  # ORND
        "init_gain": sqrt(2),  # ORND
        "aggregation": "mean",  # ORND; the paper writes the squared norm, the same after normalisation
        "eta": 1.0,
        "bonus_clip": None,
        "bonus_normalisation": "return_std",  # paper section 2.4; ORND ppo_agent.py update
        "bonus_gamma": 0.99,  # ORND run_atari.py --gamma
        "mask": "sample",  # ORND
        "keep": None,  # paper: 32 environments keep all, 128 a quarter, 1024 a 32nd; ORND's default is 1 (32 environments)
        "learning_rate": 1e-4,  # ORND run_atari.py
        "adam_epsilon": 1e-8,  # TensorFlow's default
        "epochs": 4,  # ORND run_atari.py
        "minibatches": 4,  # ORND run_atari.py
        "minibatch_order": "environment",  # ORND ppo_agent.py: slices of environments in a fixed order
    },
    combine={
        "mode": "two_critics",
        "extrinsic_weight": 2.0,  # ORND run_atari.py --ext_coeff
        "intrinsic_weight": 1.0,  # ORND run_atari.py --int_coeff
        "intrinsic_gamma": 0.99,  # ORND run_atari.py --gamma
        "episodic": False,  # paper section 2.3; ORND --use_news 0
    },
)

PECHAC2024 = Preset(
    name="pechac2024",
    source="RND as compared with in Pechac et al. 2024, arXiv 2302.11563: code of Iskandor/SND@2cada68",
    config={
        "bonus_on": "obs",  # SND experiment/ppo_nenv_experiment.py
        "train_on": "obs",  # ditto
        "frames": "newest",  # SND RNDModelAtari.prepare_input
        "observation_normalisation": "subtract_mean",  # ditto
        "statistics": "cumulative",  # SND utils/RunningAverage.py
        "warm_up_steps": 0,
        "convolutions": "pechac2024",  # SND RNDModelAtari
        "feature_dim": 512,  # ditto
        "predictor_layers": 2,  # ditto
        "init_gain": sqrt(2),  # ditto
        "aggregation": "half_sum",  # ditto, error
        "eta": 1.0,  # SND config/ppo.config.json
        "bonus_clip": 1.0,  # SND experiment/ppo_nenv_experiment.py
        "bonus_normalisation": "none",  # its running statistics are never applied
        "mask": "element",  # SND RNDModelAtari.loss_function
        "keep": 0.25,  # ditto
        "learning_rate": 1e-4,  # SND config/ppo.config.json
        "adam_epsilon": 1e-8,  # torch's default
        "epochs": 1,  # SND motivation: one pass
        "minibatches": 32,  # 512 of 128 * 128 transitions each
        "minibatch_order": "time",  # in stored order
    },
    combine={
        "mode": "two_critics",
        "extrinsic_weight": 2.0,  # SND config/ppo.config.json
        "intrinsic_weight": 1.0,  # ditto
        "intrinsic_gamma": 0.99,  # ditto
        "episodic": True,  # SND algorithms/PPO.py: one mask for both streams
    },
)

CLEANRL = Preset(
    name="cleanrl",
    source="vwxyzjn/cleanrl@fe8d8a0 cleanrl/ppo_rnd_envpool.py; its bonus filter over environments is not repeated",
    config={
        "bonus_on": "next_obs",
        "train_on": "obs",
        "observation_clip": 5.0,
        "warm_up_steps": 6400,  # --num-iterations-obs-norm-init 50 * --num-steps 128
        "convolutions": "burda2018",
        "leaky_slope": 0.01,  # torch's default
        "aggregation": "half_sum",
        "mask": "sample",
        "keep": 0.25,  # --update-proportion
        "learning_rate": 1e-4,  # --learning-rate; annealed there, and gradients bounded together with the policy's
        "adam_epsilon": 1e-5,
        "epochs": 4,  # --update-epochs
        "minibatches": 4,  # --num-minibatches
        "minibatch_order": "shuffled",
    },
    combine={
        "mode": "two_critics",
        "extrinsic_weight": 2.0,  # --ext-coef
        "intrinsic_weight": 1.0,  # --int-coef
        "intrinsic_gamma": 0.99,  # --int-gamma
        "episodic": False,
    },
)

PPO_BURDA2018 = AlgorithmPreset(
    algorithm="ppo",
    preset=Preset(
        name="burda2018",
        source="Burda et al. 2018, arXiv 1810.12894, tables 2 to 5, and openai/random-network-distillation@f75c0f1",
        config={
            "n_envs": 128,  # paper
            "n_steps": 128,  # ORND run_atari.py
            "batch_size": 4096,  # ORND run_atari.py: nminibatches=4
            "n_epochs": 4,  # ditto
            "learning_rate": 1e-4,  # ditto
            "learning_rate_schedule": "constant",  # ditto
            "adam_epsilon": 1e-8,  # TensorFlow's default
            "gamma": 0.999,  # ORND README --gamma_ext 0.999
            "gae_lambda": 0.95,  # ORND run_atari.py --lam
            "clip_range": 0.1,  # ditto
            "clip_range_vf": None,  # ORND ppo_agent.py: plain squared errors
            "normalize_advantage": False,  # ORND ppo_agent.py
            "ent_coef": 0.001,  # ORND run_atari.py
            "vf_coef": 0.5,  # ORND ppo_agent.py: 0.5 * vf_coef with vf_coef 1
            "max_grad_norm": None,  # ORND run_atari.py: 0, and clipped gradients are not what is applied
            "network": "burda2018",  # ORND --policy cnn; the paper's table 1 used the recurrent one
        },
    ),
)

PPO_PECHAC2024 = AlgorithmPreset(
    algorithm="ppo",
    preset=Preset(
        name="pechac2024",
        source="Pechac et al. 2024, arXiv 2302.11563: Iskandor/SND@2cada68 algorithms/PPO.py and config/ppo.config.json",
        config={
            "n_envs": 128,  # SND config/ppo.config.json
            "n_steps": 128,  # ditto: trajectory_size 16384
            "batch_size": 512,  # ditto
            "n_epochs": 4,  # ditto; all four share one permutation there, here each draws its own
            "learning_rate": 1e-4,  # ditto
            "learning_rate_schedule": "constant",
            "adam_epsilon": 1e-8,  # torch's default
            "gamma": 0.998,  # SND config/ppo.config.json
            "gae_lambda": 0.95,  # SND algorithms/PPO.py
            "clip_range": 0.1,  # ditto
            "clip_range_vf": None,  # ditto: plain squared errors
            "normalize_advantage": False,  # ditto: commented out
            "ent_coef": 0.001,  # SND config/ppo.config.json: beta
            "vf_coef": 0.5,  # ditto: critic_loss_weight
            "max_grad_norm": 0.5,  # SND algorithms/PPO.py
            "network": "pechac2024",  # SND modules/PPO_AtariModules.py
        },
    ),
)

PPO_CLEANRL = AlgorithmPreset(
    algorithm="ppo",
    preset=Preset(
        name="cleanrl",
        source="vwxyzjn/cleanrl@fe8d8a0 cleanrl/ppo_rnd_envpool.py, with whole games instead of lives",
        config={
            "n_envs": 128,  # --num-envs
            "n_steps": 128,  # --num-steps
            "batch_size": 4096,  # --num-minibatches 4
            "n_epochs": 4,  # --update-epochs
            "learning_rate": 1e-4,  # --learning-rate
            "learning_rate_schedule": "linear",  # --anneal-lr
            "adam_epsilon": 1e-5,  # CRL optim.Adam(eps=1e-5)
            "gamma": 0.999,  # --gamma
            "gae_lambda": 0.95,  # --gae-lambda
            "clip_range": 0.1,  # --clip-coef
            "clip_range_vf": 0.1,  # --clip-vloss, with --clip-coef; the extrinsic value only there
            "normalize_advantage": True,  # --norm-adv
            "ent_coef": 0.001,  # --ent-coef
            "vf_coef": 0.25,  # --vf-coef 0.5, times the 0.5 of each value loss
            "max_grad_norm": 0.5,  # --max-grad-norm; of policy and predictor together there
            "network": "burda2018",  # CRL Agent, but for a 3x3 convolution and a hidden layer; see README.md
        },
    ),
)
