"""SND-STD: spatio-temporal InfoNCE between consecutive states.

Source: Pechac et al. 2024, arXiv 2302.11563; Iskandor/SND@2cada68 ``modules/encoders/EncoderAtari.py`` (ST_DIMEncoderAtari)
and ``modules/rnd_models/RNDModelAtari.py`` (STDModelAtari), after ST-DIM (Anand et al. 2019, arXiv 1906.08226). With z the
features, l_p the local features at position p of P, N samples, s the state and s' the next one:

    G_p[i, j] = (W_g z(s'_i) + b_g) . l_p(s_j)          global prediction i against patch j
    F_p[i, j] = (W_l l_p(s'_i) + b_l) . l_p(s_j)        local prediction i against patch j
    L = mean_pj -log softmax_i(G_p[:, j])_(i=j) + the same of F
        + beta_1 * (-mean_n std_k z_k(s_n)) + beta_2 * (mean_p |G_p| + mean_p |F_p|),  |.| the Frobenius norm

``softmax_over: patches`` takes the softmax over j for every i, as ST-DIM does; ``predicts`` exchanges s and s'.

The P * N * N logits of each sum, 38 million at the published size, never exist at once: see `harness.nn.contrastive`. Norms
need no logits at all, since |A B^T|^2 is the sum of all entries of (A^T A) * (B^T B). Both are exact. A softmax over i
does not change when b . l_p(s_j) is added to all logits of j, so it is taken without the biases: their gradients cancel, and
what rounding leaves of them in single precision would spoil the small ones that the norms have.

Differences from the reference code: none in values. Vectors are beyond the paper: a hidden layer is one position.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.errors import UserError
from harness.nn.contrastive import positionwise_info_nce
from harness_snd.configs import SNDSTDConfig
from harness_snd.objective import Minibatch, Objective, ObjectiveContext, head
from harness_snd.reward import SND


class STDIM(Objective[SNDSTDConfig]):
    """Predictions of local features by the other state's global and local features."""

    def __init__(self, config: SNDSTDConfig, context: ObjectiveContext) -> None:
        super().__init__(config, context)
        layers = len(context.target.blocks)
        self.layer = config.local_layer or max(1, layers - 1)
        if self.layer > layers:
            raise UserError(f"local_layer {self.layer} is more than the encoder's {layers} layers: lower it or leave it null")
        channels = _channels(context, self.layer)
        self.predict_globally = head([context.target.features_dim, channels], context)
        self.predict_locally = head([channels, channels], context)

    def terms(self, batch: Minibatch) -> dict[str, Tensor]:
        maps, inputs, patches = self._maps_and_patches(batch)
        without_bias = [F.linear(states, weight) for (weight, _), states in zip(maps, inputs, strict=True)]
        predictions = [prediction + bias for (_, bias), prediction in zip(maps, without_bias, strict=True)]
        contrasted = without_bias if self.config.softmax_over == "predictions" else predictions
        infonce = [self._info_nce(prediction, patches) for prediction in contrasted]
        norms = torch.stack([mean_norm(prediction, patches) for prediction in predictions])
        return {
            "infonce_global": infonce[0],
            "infonce_local": infonce[1],
            "norm": self.config.norm_weight * norms.sum(),
            "deviation": -self.config.deviation_weight * batch.features.std(1).mean(),
        }

    def predictions_and_patches(self, batch: Minibatch) -> tuple[list[Tensor], Tensor]:
        """Global predictions ``(1, B, C)``, the same at all positions, local ones ``(P, B, C)``, and patches ``(P, B, C)``."""
        maps, inputs, patches = self._maps_and_patches(batch)
        return [F.linear(states, *both) for both, states in zip(maps, inputs, strict=True)], patches

    def _maps_and_patches(self, batch: Minibatch) -> tuple[list[tuple[Tensor, Tensor]], tuple[Tensor, Tensor], Tensor]:
        """Weights and biases of both maps, what each maps, ``(1, B, D)`` and ``(P, B, C)``, and patches ``(P, B, C)``."""
        traces = batch.trace, batch.next_trace
        (known, _), (layers, features) = traces if self.config.predicts == "obs" else traces[::-1]
        linear = cast(list[nn.Linear], [self.predict_globally[0], self.predict_locally[0]])
        inputs = features.unsqueeze(0), positions(layers[self.layer - 1])
        return [(one.weight, one.bias) for one in linear], inputs, positions(known[self.layer - 1])

    def _info_nce(self, predictions: Tensor, patches: Tensor) -> Tensor:
        """The mean over positions and samples, of predictions that may be the same at all positions."""
        predictions = predictions.expand_as(patches)
        if self.config.softmax_over == "predictions":
            return positionwise_info_nce(patches, predictions)
        return positionwise_info_nce(predictions, patches)


def positions(layer: Tensor) -> Tensor:
    """A layer's outputs position by position, row after row: ``(B, C, H, W)`` or ``(B, C)`` to ``(P, B, C)``."""
    return layer.reshape(*layer.shape[:2], -1).permute(2, 0, 1).contiguous()


def mean_norm(predictions: Tensor, patches: Tensor) -> Tensor:
    """Mean over positions of the Frobenius norm of the logits ``predictions @ patches^T``, without computing them."""
    squared = ((predictions.mT @ predictions) * (patches.mT @ patches)).sum((1, 2))
    return squared.clamp(min=torch.finfo(squared.dtype).tiny).sqrt().mean()  # at zero, torch's norm has gradient zero as well


@torch.no_grad()
def _channels(context: ObjectiveContext, layer: int) -> int:
    layers, _ = context.target.trace(torch.zeros(1, *context.shape))
    return layers[layer - 1].shape[1]


class SNDSTD(SND[SNDSTDConfig]):
    """SND with a target that knows what goes with what in space and time."""

    objective_class = STDIM
