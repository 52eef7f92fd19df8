"""SND with CURL, beyond the paper.

Source: Laskin et al. 2020, arXiv 2004.04136, section 4; MishaLaskin/curl. With z the projection of one view, k that of the
other view by a slow copy (moving average) of target and projector, and W a learnt matrix:

    L = mean_i -log softmax_j(z_i^T W k_j)_(j=i)

Differences from the reference code: W starts as random weights of a linear layer instead of uniform in [0, 1), which would
make all similarities large and equal in sign; images move by up to 4 pixels with their border repeated instead of being
cropped from 100 to 84 pixels; the average takes a step after every minibatch. On vectors the views are those of SND-V's vector
form.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nn.averages import MovingAverage
from harness.nn.layers import Encoder, uniform_fan_in
from harness_snd.configs import SNDCURLConfig
from harness_snd.objective import Minibatch, ObjectiveContext, TwoViewsObjective
from harness_snd.reward import SND


class CURL(TwoViewsObjective[SNDCURLConfig]):
    """A learnt similarity of queries and slow keys."""

    def __init__(self, config: SNDCURLConfig, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        similarity = nn.Linear(self.projection_dim, self.projection_dim, bias=False)
        self.similarity = uniform_fan_in(similarity, context.generator)
        self.slow = MovingAverage(nn.Sequential(context.target, self.projector), config.decay)

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        first, second = self.views(batch)
        queries = self.projector(batch.target(first))
        logits = queries @ self.similarity(self.slow(second)).T
        return {"contrast": F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))}

    def after_step(self, target: Encoder) -> None:
        self.slow.update(nn.Sequential(target, self.projector))


class SNDCURL(SND[SNDCURLConfig]):
    """SND with a target that finds a state's slow key among others."""

    objective_class = CURL
