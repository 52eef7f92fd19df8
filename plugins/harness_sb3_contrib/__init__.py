"""RecurrentPPO, TQC and QR-DQN of sb3-contrib as base algorithms."""
