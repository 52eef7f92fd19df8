"""Atari 2600 games through ALE's own C++ vector environment."""
