"""SimHash counts (Tang et al. 2017) for exploration-harness; an example of a plugin package."""
