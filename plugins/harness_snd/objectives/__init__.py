"""What a target can learn by: one objective per file, each with its source, its formula and the method that uses it."""
