"""A small actor-critic network for exploration-harness; an example of a plugin package."""
