"""Crafter: an open world in which 22 achievements build on each other."""
