"""Lines of JSON, a tracker for exploration-harness."""
