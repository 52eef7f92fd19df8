"""Proximal policy optimisation, with one value head or two."""
