"""Novelty within an episode, counts and particle entropy: counts, pseudo-counts, NGU, RIDE, E3B, NovelD, RE3, APT, ICM-APT."""
