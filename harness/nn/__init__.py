"""Building blocks for plugin authors.

* `harness.nn.layers`: convolutional encoders and MLPs described as data, orthogonal initialisation
* `harness.nn.observations`: what novelty networks see of an observation
* `harness.nn.distillation`: a target network and the predictor that learns to match it, masked means
* `harness.nn.moments`: running mean and deviation, and the normaliser of discounted bonus sums
* `harness.nn.diagnostics`: whether a representation is alive
"""
