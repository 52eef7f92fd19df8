"""Proto-RL (Yarats et al. 2021)."""
