"""Base algorithms: what a learner must offer, the wrappers that give it a bonus, and the two that come with the harness."""
