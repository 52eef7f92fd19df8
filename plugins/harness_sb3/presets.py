"""Published settings of A2C, DQN and TD3."""

from __future__ import annotations

from harness import Preset

_ZOO = "DLR-RM/rl-baselines3-zoo, hyperparams"

A2C_ZOO_ATARI = Preset(
    name="zoo_atari",
    source=f"{_ZOO}/a2c.yml at 02846e4, block atari",
    config={
        "n_envs": 16,
        "n_steps": 5,
        "ent_coef": 0.01,
        "vf_coef": 0.25,
        "optimizer": "rmsprop_tf",
        "optimizer_epsilon": 1e-5,
    },
)

DQN_ZOO_ATARI = Preset(
    name="zoo_atari",
    source=f"{_ZOO}/dqn.yml at 019107e, block atari",
    config={
        "n_envs": 1,
        "buffer_size": 1_000_000,
        "learning_rate": 1e-4,
        "batch_size": 32,
        "learning_starts": 100_000,
        "target_update_interval": 10_000,
        "train_freq": 4,
        "gradient_steps": 1,
        "exploration_fraction": 0.1,
        "exploration_final_eps": 0.1,
    },
)

DQN_ZOO_MOUNTAIN_CAR = Preset(
    name="zoo_mountain_car",
    source=f"{_ZOO}/dqn.yml at 019107e, block MountainCar-v0 (runs of 120,000 steps)",
    config={
        "n_envs": 1,
        "learning_rate": 4e-3,
        "batch_size": 128,
        "buffer_size": 10_000,
        "learning_starts": 1000,
        "gamma": 0.98,
        "target_update_interval": 5000,
        "train_freq": 16,
        "gradient_steps": 8,
        "exploration_fraction": 0.2,
        "exploration_final_eps": 0.07,
        "net_arch": [256, 256],
    },
)

TD3_FUJIMOTO2018 = Preset(
    name="fujimoto2018",
    source="Fujimoto et al. 2018, arXiv 1802.09477, section 6.1 (10,000 random steps are those of HalfCheetah and Ant);"
    " unchecked: written down without the paper at hand",
    config={
        "n_envs": 1,
        "buffer_size": 1_000_000,
        "learning_rate": 1e-3,
        "batch_size": 100,
        "learning_starts": 10_000,
        "tau": 0.005,
        "gamma": 0.99,
        "train_freq": 1,
        "gradient_steps": 1,
        "exploration_noise": 0.1,
        "policy_delay": 2,
        "target_policy_noise": 0.2,
        "target_noise_clip": 0.5,
        "net_arch": [400, 300],
    },
)
