"""Building blocks for plugin authors.

* `harness.nn.layers`: encoders of images and vectors described as data, and their initialisation
* `harness.nn.observations`: what novelty networks see of an observation
* `harness.nn.augmentations`: tile masks, noise and shifts
* `harness.nn.distillation`: a target network and the predictor that learns to match it, masked means
* `harness.nn.actions`: actions as networks take and guess them
* `harness.nn.contrastive`, `harness.nn.covariance`: what self-supervised objectives are made of
* `harness.nn.sinkhorn`: assignments to prototypes, balanced
* `harness.nn.neighbours`: distances to the k nearest rows of a bank, and a queue of vectors to be that bank
* `harness.nn.episodes`: what is kept of the present episode of each environment
* `harness.nn.memo`: what was computed of a batch, for whoever asks again
* `harness.nn.averages`: a network that follows another slowly
* `harness.nn.moments`: running mean and deviation, and the normaliser of discounted bonus sums
* `harness.nn.normalisers`: every way to bring bonuses to a scale, by its name in configurations
* `harness.nn.minibatches`: how a rollout is cut
* `harness.nn.frames`: the newest frame of stacked images, or all of them
* `harness.nn.clipping`: bounding a bonus
* `harness.nn.diagnostics`: whether a representation is alive
"""
