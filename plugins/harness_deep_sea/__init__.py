"""DeepSea (Osband et al. 2020) as one vectorised NumPy environment."""
