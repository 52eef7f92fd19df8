"""Mixtures of methods in a run; their names and configurations are in `harness.registry.mixtures`."""
