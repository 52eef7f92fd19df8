"""Published settings of RecurrentPPO, TQC and QR-DQN."""

from __future__ import annotations

from harness import Preset

_ZOO = "DLR-RM/rl-baselines3-zoo, hyperparams"

RECURRENT_PPO_ZOO_LUNAR_LANDER = Preset(
    name="zoo_lunar_lander_no_velocity",
    source=f"{_ZOO}/ppo_lstm.yml at 038ab16, block LunarLanderNoVel-v2; the rest are sb3-contrib's defaults",
    config={
        "n_envs": 16,
        "n_steps": 1024,
        "batch_size": 64,
        "n_epochs": 4,
        "learning_rate": 3e-4,
        "gae_lambda": 0.98,
        "gamma": 0.999,
        "ent_coef": 0.01,
        "lstm_hidden_size": 256,
    },
)

TQC_KUZNETSOV2020 = Preset(
    name="kuznetsov2020",
    source="Kuznetsov et al. 2020, arXiv 2005.04269, appendix (2 dropped atoms per critic, as for most tasks); unchecked:"
    " written down without the paper at hand",
    config={
        "n_envs": 1,
        "buffer_size": 1_000_000,
        "learning_rate": 3e-4,
        "batch_size": 256,
        "tau": 0.005,
        "gamma": 0.99,
        "n_critics": 5,
        "n_quantiles": 25,
        "top_quantiles_to_drop_per_net": 2,
        "net_arch": [256, 256],
        "critic_net_arch": [512, 512, 512],
    },
)

QRDQN_DABNEY2018 = Preset(
    name="dabney2018",
    source="Dabney et al. 2018, arXiv 1710.10044, section 5 (200 quantiles, Adam 5e-5 and 0.01/32); replay, updates of the"
    " target and exploration as sb3-contrib's defaults for it; unchecked: written down without the paper at hand",
    config={
        "n_envs": 1,
        "buffer_size": 1_000_000,
        "learning_rate": 5e-5,
        "batch_size": 32,
        "n_quantiles": 200,
        "target_update_interval": 10_000,
        "train_freq": 4,
        "exploration_final_eps": 0.01,
    },
)

QRDQN_ZOO_MOUNTAIN_CAR = Preset(
    name="zoo_mountain_car",
    source=f"{_ZOO}/qrdqn.yml at 04640c9, block MountainCar-v0 (runs of 120,000 steps)",
    config={
        "n_envs": 1,
        "learning_rate": 4e-3,
        "batch_size": 128,
        "buffer_size": 10_000,
        "learning_starts": 1000,
        "gamma": 0.98,
        "target_update_interval": 600,
        "train_freq": 16,
        "gradient_steps": 8,
        "exploration_fraction": 0.2,
        "exploration_final_eps": 0.07,
        "net_arch": [256, 256],
        "n_quantiles": 25,
    },
)
