"""Settings of the methods, light enough to be read without torch."""
