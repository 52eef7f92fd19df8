"""What off-policy algorithms share: fresh bonuses for replayed batches, and a replay that survives a kill."""
