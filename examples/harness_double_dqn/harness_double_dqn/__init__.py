"""The base algorithm ``double_dqn`` for exploration-harness."""
