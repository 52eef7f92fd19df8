"""The environment family ``tmaze`` for exploration-harness."""
