"""The updates of the SND methods as bare torch loops: the same arithmetic in the same order, nothing to configure or to log.

What `benchmarks/snd_update.py` measures the plugin against. Only images and the published kind of network are known here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness import Transitions
from harness_snd.reward import SND


class Bare:
    """One method's networks, taken from the plugin, and its update written out.

    Args:
        name: Of the method.
        snd: The method; its networks are used, its code is not.
    """

    def __init__(self, name: str, snd: SND) -> None:
        self.config, self.heads = snd.config, dict(snd.objective.named_children())
        self.target, self.predictor = snd.pair.target, snd.pair.predictor
        self.loss: Callable[..., tuple[Tensor, Tensor | None]] = getattr(self, name)
        parameters = [p for module in (snd.pair, snd.objective) for p in module.parameters() if p.requires_grad]
        self.adam = torch.optim.Adam(parameters, lr=snd.config.learning_rate)
        self.slow = [module.average for module in self.heads.values() if hasattr(module, "average")]

    def update(self, rollout: Transitions) -> None:
        """One pass over the rollout in order of time."""
        size = len(rollout) // self.config.minibatches
        for start in range(0, len(rollout), size):
            part = slice(start, start + size)
            states = rollout.obs[part] / 255
            loss, features = self.loss(states, rollout, part)
            if features is None:
                with torch.no_grad():
                    features = self.target(states)
            squared = (self.predictor(states) - features.detach()).square()
            if self.config.keep < 1:
                keep = torch.rand_like(squared) < self.config.keep
                loss = loss + (squared * keep).sum() / keep.sum()
            else:
                loss = loss + (squared.sum() if self.config.distillation == "sum" else squared.mean())
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            for slow in self.slow:
                self._follow(slow)

    def snd_v(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, None]:
        pairs, n = len(states) // 8, len(rollout)
        anchors, far = torch.randint(n, (2, pairs), device=states.device)
        labels = torch.rand(pairs, device=states.device) > 0.5
        partners = torch.where(labels, far, anchors)
        z_a, z_b = (self.target(self._augment(rollout.obs[index] / 255, 0.5)) for index in (anchors, partners))
        distance = (z_a - z_b).square().mean(1)
        magnitude = z_a.square().mean() + z_b.square().mean()
        return (labels.float() - distance).square().mean() + torch.relu(magnitude - 200), None

    def snd_std(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, Tensor]:
        """All logits at once, as in the original."""
        patches = self.target.blocks[:3](states)
        features = self.target.linear(self.target.blocks[3:](patches).flatten(1))
        later = self.target.blocks[:3](rollout.next_obs[part] / 255)
        later_features = self.target.linear(self.target.blocks[3:](later).flatten(1))
        keys, queries = (each.flatten(2).permute(2, 0, 1) for each in (patches, later))
        loss = -1e-4 * features.std(1).mean()
        answer = torch.arange(len(states), device=states.device).expand(len(keys), -1)
        for predictions in (self.heads["predict_globally"](later_features), self.heads["predict_locally"](queries)):
            logits = predictions @ keys.mT
            loss = loss + F.cross_entropy(logits, answer) + 1e-4 * logits.norm(dim=(1, 2)).mean()
        return loss, features

    def snd_vic(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, Tensor]:
        z, other = self.target(states), self.target(rollout.next_obs[part] / 255)
        loss, n, d = F.mse_loss(z, other), *z.shape
        for view in (z, other):
            loss = loss + torch.relu(1 - (view.var(0) + 1e-4).sqrt()).mean()
            centred = view - view.mean(0)
            covariance = centred.T @ centred / (n - 1)
            loss = loss + covariance[~torch.eye(d, dtype=torch.bool, device=z.device)].square().sum() / d / 25
        return loss, z

    def snd_barlow(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, None]:
        views = (self.target(self._augment(states, 1)) for _ in range(2))
        z, other = ((v - v.mean(0)) / (v.var(0, correction=0) + 1e-5).sqrt() for v in views)
        difference = (z.T @ other / len(z) - torch.eye(z.shape[1], device=z.device)).square()
        return 5e-3 * difference.sum() + (1 - 5e-3) * difference.diagonal().sum(), None

    def snd_simclr(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, None]:
        project, n = self.heads["projector"], len(states)
        both = F.normalize(torch.cat([project(self.target(self._augment(states, 1))) for _ in range(2)]))
        logits = (both @ both.T / 0.1).fill_diagonal_(-torch.inf)
        return F.cross_entropy(logits, torch.arange(2 * n, device=both.device).roll(n)), None

    def snd_byol(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, None]:
        views, loss = [self._augment(states, 1) for _ in range(2)], torch.zeros((), device=states.device)
        for view, other in (views, views[::-1]):
            with torch.no_grad():
                slow = self.slow[0](other)
            prediction = self.heads["predict"](self.heads["projector"](self.target(view)))
            loss = loss + (2 - 2 * F.cosine_similarity(prediction, slow)).mean()
        return loss, None

    def snd_curl(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, None]:
        queries = self.target(self._shift(states))
        with torch.no_grad():
            keys = self.slow[0](self._shift(states))
        logits = queries @ self.heads["similarity"](keys).T
        return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device)), None

    def snd_inverse(self, states: Tensor, rollout: Transitions, part: slice) -> tuple[Tensor, Tensor]:
        z, other = self.target(states), self.target(rollout.next_obs[part] / 255)
        return F.cross_entropy(self.heads["guess"](torch.cat([z, other], 1)), rollout.action[part]), z

    def _augment(self, x: Tensor, probability: float) -> Tensor:
        """Tile masks, then noise."""
        n, _, height, width = x.shape
        sizes = [size for size in (1, 2, 4, 8, 12, 16) if height % size == 0 and width % size == 0]
        size = sizes[int(torch.randint(len(sizes), ()))]
        kept = (torch.rand(n, 1, height // size, width // size, device=x.device) < 0.9).float()
        masked = x * kept.repeat_interleave(size, 2).repeat_interleave(size, 3)
        x = torch.where(torch.rand(n, 1, 1, 1, device=x.device) < probability, masked, x)
        noisy = x + 0.2 * (2 * torch.rand_like(x) - 1)
        return torch.where(torch.rand(n, 1, 1, 1, device=x.device) < probability, noisy, x)

    def _shift(self, x: Tensor) -> Tensor:
        """One crop of the padded image for each sample."""
        n, channels, height, width = x.shape
        padded = F.pad(x, (4, 4, 4, 4), mode="replicate")
        rows = torch.randint(9, (n, 1), device=x.device) + torch.arange(height, device=x.device)
        columns = torch.randint(9, (n, 1), device=x.device) + torch.arange(width, device=x.device)
        padded = padded.gather(2, rows[:, None, :, None].expand(n, channels, height, padded.shape[3]))
        return padded.gather(3, columns[:, None, None, :].expand(n, channels, height, width))

    @torch.no_grad()
    def _follow(self, slow: nn.Module) -> None:
        decay = self.config.decay  # type: ignore[attr-defined]
        networks = nn.Sequential(self.target, self.heads["projector"])
        for ours, theirs in zip(slow.parameters(), networks.parameters(), strict=True):
            ours.lerp_(theirs, 1 - decay)
