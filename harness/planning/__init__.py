"""From a suite to its runs: load it once into a plan, resolve every setting, check every combination."""
