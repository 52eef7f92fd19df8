"""Random network distillation (Burda et al. 2018)."""
