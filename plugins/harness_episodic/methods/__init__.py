"""One file for each method, or for two that differ in little."""
