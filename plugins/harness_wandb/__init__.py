"""The tracker ``wandb``: runs followed in Weights & Biases."""
