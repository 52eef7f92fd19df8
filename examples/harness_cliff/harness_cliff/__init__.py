"""The environment family ``cliff`` for exploration-harness."""
