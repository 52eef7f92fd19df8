"""Pieces of the harness for scripts that are not its own: around a Stable-Baselines3 script, or on arrays alone."""
