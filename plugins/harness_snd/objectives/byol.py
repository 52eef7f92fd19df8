"""SND with BYOL, beyond the paper.

Source: Grill et al. 2020, arXiv 2006.07733, equation 2; google-deepmind/deepmind-research/byol. With p the prediction from one
view's projection, and z' the projection of the other view by a slow copy (moving average) of target and projector, sg stopping
the gradient:

    L = mean_n (2 - 2 cos(p(z(v_n)), sg z'(w_n))) + the same with v and w exchanged

Differences from the reference code: a constant ``decay`` instead of a schedule that ends at 1, since a run of exploration has
no moment at which its target should stop; the views are those of SND-V; Adam instead of LARS.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from harness.nn.averages import MovingAverage
from harness.nn.layers import Encoder
from harness_snd.configs import SNDBYOLConfig
from harness_snd.objective import Minibatch, ObjectiveContext, TwoViewsObjective, head
from harness_snd.reward import SND


class BYOL(TwoViewsObjective[SNDBYOLConfig]):
    """Prediction of a slow copy's view."""

    batch_norm = True

    def __init__(self, config: SNDBYOLConfig, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        sizes = [self.projection_dim, config.prediction_hidden, self.projection_dim]
        self.predict = head(sizes, context, batch_norm=True)
        self.slow = MovingAverage(nn.Sequential(context.target, self.projector), config.decay)

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        first, second = self.views(batch)
        return {"prediction": self._distance(batch.target, first, second) + self._distance(batch.target, second, first)}

    def after_step(self, target: Encoder) -> None:
        self.slow.update(nn.Sequential(target, self.projector))

    def _distance(self, target: Encoder, view: Tensor, other: Tensor) -> Tensor:
        prediction = self.predict(self.projector(target(view)))
        return (2 - 2 * F.cosine_similarity(prediction, self.slow(other))).mean()


class SNDBYOL(SND[SNDBYOLConfig]):
    """SND with a target that foresees its own slow copy."""

    objective_class = BYOL
