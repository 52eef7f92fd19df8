"""What on-policy algorithms share: a bonus for every step of a rollout."""
