"""Where an iteration's time goes, and what the same environments and layers take by themselves."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from clock import median_seconds
from stable_baselines3 import SAC
from throughput_sac import sac_ceiling
from torch import Tensor, nn

from harness.training.assembly import Assembly

Clock = Callable[[], float]


class _Stopwatch:
    """Adds up the time inside wrapped methods by part, what they call of other parts aside."""

    def __init__(self, clock: Clock) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._clock, self._open = clock, [("bookkeeping", clock())]
        self._restore: list[tuple[object, str]] = []

    def wrap(self, part: str, owner: object, *names: str) -> None:
        """Time every call of these methods of one object."""
        for name in names:
            original = getattr(owner, name)
            object.__setattr__(owner, name, self._timed(part, original))
            self._restore.append((owner, name))

    def close(self) -> dict[str, float]:
        """Stop; the share of each part."""
        self._book()
        for owner, name in self._restore:
            object.__delattr__(owner, name)
        total = sum(self.seconds.values())
        return {part: seconds / total for part, seconds in sorted(self.seconds.items(), key=lambda item: -item[1])}

    def _book(self) -> None:
        part, since = self._open[-1]
        now = self._clock()
        self.seconds[part] += now - since
        self._open[-1] = (part, now)

    def _timed(self, part: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._book()
            self._open.append((part, self._clock()))
            try:
                return original(*args, **kwargs)
            finally:
                self._book()
                self._open.pop()
                self._open[-1] = (self._open[-1][0], self._clock())

        return call


def split(run: Assembly, clock: Clock, iterations: int = 2) -> dict[str, float]:
    """The share of each part of a run's iterations."""
    watch, model = _Stopwatch(clock), run.learner.model  # type: ignore[attr-defined]  # every learner here drives one of SB3's
    watch.wrap("environment", run.base, "step_async", "step_wait")
    on_policy = hasattr(model, "rollout_buffer")
    watch.wrap("inference", model.policy, *(("forward", "predict_values") if on_policy else ("predict",)))
    watch.wrap("policy update", model, "train")
    watch.wrap("storage", model.rollout_buffer if on_policy else model.replay_buffer, "add", "_get_samples")
    if run.reward is not None:
        watch.wrap("bonus", run.reward, "observe", "bonus")
        watch.wrap("bonus update", run.reward, "update", "diagnose")
    for _ in range(iterations):
        run.learner.iterate()
    return watch.close()


def ceiling(run: Assembly, clock: Clock, repetitions: int) -> float | None:
    """Seconds of one iteration that had nothing to do but to step, and to run the same layers on the same batches.

    Networks of methods count where they are known: target and predictor of RND with PPO. ``None`` where they are not.
    """
    learner: Any = run.learner
    if isinstance(learner.model, SAC):
        return None if run.reward is not None else sac_ceiling(run, clock, repetitions)
    model = learner.model
    steps, envs = model.n_steps, run.base.num_envs
    batches = model.n_epochs * (steps * envs // model.batch_size)
    observations = np.asarray(run.learner.observations)
    batch = torch.as_tensor(np.resize(observations, (model.batch_size, *observations.shape[1:])))
    actions = [np.array([run.base.action_space.sample() for _ in range(envs)]) for _ in range(8)]
    seconds = steps * median_seconds(lambda: [run.base.step(action) for action in actions], clock, repetitions) / len(actions)
    sizes = torch.as_tensor(observations), batch, clock, repetitions, steps, batches
    layouts = (torch.contiguous_format, torch.channels_last)
    seconds += min(_policy(learner.fresh_policy(0), layout, *sizes) for layout in layouts)
    pair = getattr(run.reward, "pair", None)
    if run.reward is not None and pair is not None and hasattr(run.reward, "network_input"):
        seconds += _rnd(run, batch, clock, repetitions, steps)
    return seconds


def _policy(
    fresh: nn.Module, layout: Any, now: Tensor, batch: Tensor, clock: Clock, repetitions: int, steps: int, batches: int
) -> float:
    bare: Any = _laid_out(fresh, layout)
    optimiser = torch.optim.Adam(bare.parameters(), fused=True)

    def outputs(observations: Tensor) -> tuple[Tensor, Tensor]:
        features = bare.extract_features(observations)
        actor, critic = bare.mlp_extractor(features)
        return bare.action_net(actor), bare.value_net(critic)

    def infer() -> None:
        with torch.inference_mode():
            outputs(now)

    def learn() -> None:
        optimiser.zero_grad()
        logits, values = outputs(batch)
        (logits.square().mean() + values.square().mean()).backward()
        optimiser.step()

    return steps * median_seconds(infer, clock, repetitions) + batches * median_seconds(learn, clock, repetitions)


def _rnd(run: Assembly, batch: Tensor, clock: Clock, repetitions: int, steps: int) -> float:
    reward: Any = run.reward
    config, envs = reward.config, run.base.num_envs
    rows = steps * envs // config.minibatches
    pair = _laid_out(copy.deepcopy(reward.pair), torch.contiguous_format)
    states = reward.network_input(torch.as_tensor(reward.view(batch.numpy())))
    step, minibatch = (states[torch.arange(n) % len(states)] for n in (envs, max(1, round(rows * min(1.0, reward.keep)))))
    optimiser = torch.optim.Adam(pair.predictor.parameters(), fused=True)

    def infer() -> None:
        with torch.inference_mode():
            (pair.target(step) - pair.predictor(step)).square().mean(1)

    def target() -> None:
        with torch.inference_mode():
            pair.target(minibatch)

    known = torch.zeros(len(minibatch), config.feature_dim)

    def learn() -> None:
        optimiser.zero_grad()
        (pair.predictor(minibatch) - known).square().mean().backward()
        optimiser.step()

    each = config.minibatches * (
        median_seconds(target, clock, repetitions) + config.epochs * median_seconds(learn, clock, repetitions)
    )
    return steps * median_seconds(infer, clock, repetitions) + each


def _laid_out(module: nn.Module, layout: Any) -> nn.Module:
    """The module with torch's own convolutions, whose weights are in this memory format."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.__class__ = nn.Conv2d
            layer.weight.data = layer.weight.data.contiguous(memory_format=layout)
    return module
