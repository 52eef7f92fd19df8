"""Training time, a section for reports of exploration-harness."""
