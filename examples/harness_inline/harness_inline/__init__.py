"""An executor for exploration-harness that trains one run after another in the process that starts them."""
