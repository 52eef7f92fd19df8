"""A2C, DQN and TD3 of Stable-Baselines3 as base algorithms."""
