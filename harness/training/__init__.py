"""Everything inside one run: wrapper, learners, evaluation, checkpoints."""
