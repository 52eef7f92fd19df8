"""A sound method, and for every check of the conformance kit methods that are sound but for one mistake."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from harness import IntrinsicReward, IntrinsicRewardConfig, Method, Preset, Spaces, Transitions
from harness.config import LearnerKind
from harness.errors import UserError
from harness.nn.episodes import EpisodeMemory, EpisodeRings
from harness.rewards import Guarantees
from harness.testing import Subject


class SoundConfig(IntrinsicRewardConfig):
    learning_rate: float = Field(default=0.02, gt=0)
    """Adam's step size."""


class Sound(IntrinsicReward[SoundConfig]):
    """The error in predicting a random linear map of what is seen at a low resolution."""

    def __init__(self, config: SoundConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.images = spaces.frame_channels is not None
        shape = spaces.observation.shape
        size = shape[0] * 49 if self.images else shape[0]
        self.target = nn.Linear(size, 16).requires_grad_(False)
        self.predictor = nn.Linear(size, 16)
        for weights in (*self.target.parameters(), *self.predictor.parameters()):
            weights.data.normal_(generator=self.generator).mul_(0.1)
        self.to(device)
        self.optimizers["predictor"] = torch.optim.Adam(self.predictor.parameters(), lr=config.learning_rate)

    def features(self, states: torch.Tensor) -> torch.Tensor:
        return F.adaptive_avg_pool2d(states / 255, 7).flatten(1) if self.images else states

    def error(self, states: torch.Tensor) -> torch.Tensor:
        features = self.features(states)
        return (self.predictor(features) - self.target(features)).square().mean(1)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return self.error(transitions.next_obs)

    def update(self, transitions: Transitions) -> dict[str, float]:
        loss = self.distillation_loss(transitions)
        self.optimizers["predictor"].zero_grad()
        loss.backward()
        self.optimizers["predictor"].step()
        return {"loss": float(loss.detach())}

    def distillation_loss(self, transitions: Transitions) -> torch.Tensor:
        return self.error(transitions.next_obs).mean()

    def guarantees(self) -> Guarantees:
        return Guarantees(
            frozen=["target"],
            stops_gradient={"distillation_loss": ["target"]},
            depends_on="transition",
            any_order=True,
        )


SOUND_PRESETS = (Preset(name="slow", source="A 2020, table 1", config={"learning_rate": 0.01}, combine={"mode": "sum"}),)


def subject(
    reward: type[IntrinsicReward] = Sound,
    config: type[IntrinsicRewardConfig] = SoundConfig,
    presets: Sequence[Preset] = SOUND_PRESETS,
    works_with: frozenset[LearnerKind] | set[LearnerKind] = frozenset({"on_policy", "off_policy"}),
) -> Subject:
    method = Method(name="toy", reward="toy:Reward", config="toy:Config", presets=presets, works_with=works_with)
    return Subject(method, reward, config)


# Descriptions ---------------------------------------------------------------------------------------------------------
class Silent(SoundConfig):
    size: int = 3


class OutOfBounds(SoundConfig):
    share: float = Field(default=2.0, le=1)
    """Larger than it may be."""


class LostInJSON(SoundConfig):
    size: Any = (1, 2)
    """A tuple, which comes back from JSON as a list."""


class ImagesCrash(Sound):
    def __init__(self, config: SoundConfig, spaces: Spaces, *rest: Any) -> None:
        if spaces.frame_channels is not None:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        super().__init__(config, spaces, *rest)


class RefusesEverything(Sound):
    def __init__(self, *_: Any) -> None:
        raise UserError("not today")


class RefusesWithoutAWord(Sound):
    def __init__(self, config: SoundConfig, spaces: Spaces, *rest: Any) -> None:
        if spaces.frame_channels is not None:
            raise UserError("")
        super().__init__(config, spaces, *rest)


class ContinuousCrash(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        F.one_hot(transitions.action, 3)
        return super().update(transitions)


# Numbers --------------------------------------------------------------------------------------------------------------
class Double(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return super().bonus(transitions).double()


class Column(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return super().bonus(transitions)[:, None]


class WithGradient(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return self.error(transitions.next_obs)


class DividesByDeviation(Sound):
    def features(self, states: torch.Tensor) -> torch.Tensor:
        features = super().features(states)
        return (features - features.mean(0)) / features.std(0)


class TensorMetric(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        return {"loss": torch.tensor(super().update(transitions)["loss"])}  # type: ignore[dict-item]


class NanMetric(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        return super().update(transitions) | {"share": float("nan")}


class PrefixedMetric(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        return {"intrinsic/loss": super().update(transitions)["loss"]}


class NoMetrics(Sound):
    def update(self, transitions: Transitions) -> None:  # type: ignore[override]
        super().update(transitions)


# Randomness -----------------------------------------------------------------------------------------------------------
class Unseeded(Sound):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.predictor.bias.data.add_(float(np.random.default_rng().normal()))


class IgnoresItsSeed(Sound):
    def __init__(self, config: SoundConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, 42)


class GlobalTorch(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        return super().update(transitions[torch.randperm(len(transitions))[:20]])


class GlobalNumPy(Sound):
    def observe(self, transitions: Transitions) -> None:
        np.random.permutation(len(transitions))


class GlobalPython(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        random.random()
        return super().bonus(transitions)


# State ----------------------------------------------------------------------------------------------------------------
class LearnsWhileScoring(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        with torch.no_grad():
            self.predictor.bias.mul_(0.99)
        return super().bonus(transitions)


class CountsBesideItsState(Sound):
    """The number of calls is kept in an attribute that no checkpoint sees."""

    calls = 0

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        self.calls += 1
        return super().bonus(transitions) / self.calls


class WritesIntoTheRollout(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        transitions.reward.sub_(transitions.reward.mean())
        return super().update(transitions)


class ForgetsItsOptimizer(Sound):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hidden = self.optimizers.pop("predictor")

    def update(self, transitions: Transitions) -> dict[str, float]:
        self.hidden.zero_grad()
        self.distillation_loss(transitions).backward()
        self.hidden.step()
        return {}


class CannotBeSaved(Sound):
    def get_extra_state(self) -> dict[str, Any]:
        return super().get_extra_state() | {"config": self.config}


class KeepsGraphs(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        self.__dict__.setdefault("losses", []).append(self.distillation_loss(transitions))
        return super().update(transitions)


class KeepsArrays(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        self.__dict__.setdefault("seen", []).append(transitions.next_obs.cpu().numpy().copy())
        return super().update(transitions)


# Learning -------------------------------------------------------------------------------------------------------------
class NeverLearns(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        return {}


class LearnsTheWrongWay(Sound):
    def distillation_loss(self, transitions: Transitions) -> torch.Tensor:
        return -super().distillation_loss(transitions)


class TargetDrifts(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        with torch.no_grad():
            self.target.weight.lerp_(self.predictor.weight, 0.01)
        return super().update(transitions)


class MisspeltFrozen(Sound):
    def guarantees(self) -> Guarantees:
        return Guarantees(frozen=["targt"])


class NoStopGradient(Sound):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.target.requires_grad_(True)

    def guarantees(self) -> Guarantees:
        return Guarantees(stops_gradient={"distillation_loss": ["target"]})


class MisspeltLoss(Sound):
    def guarantees(self) -> Guarantees:
        return Guarantees(stops_gradient={"distilation_loss": ["target"]})


class LossWithoutGradient(Sound):
    def distillation_loss(self, transitions: Transitions) -> torch.Tensor:
        return super().distillation_loss(transitions).detach()


# Batches --------------------------------------------------------------------------------------------------------------
class CentredOnItsBatch(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        bonus = super().bonus(transitions)
        return bonus - bonus.mean()


class FirstComeFirstServed(Sound):
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return super().bonus(transitions) / torch.arange(1, len(transitions) + 1)

    def guarantees(self) -> Guarantees:
        return Guarantees()


class OneAfterTheOther(Sound):
    def update(self, transitions: Transitions) -> dict[str, float]:
        for i in range(len(transitions)):
            super().update(transitions[i : i + 1])
        return {}


# Episodes -------------------------------------------------------------------------------------------------------------
class ScoresWhatItSawLast(Sound):
    """`view` is asked for the reset observations before the last ones; who remembers them scores the next episode."""

    def view(self, observations: np.ndarray) -> np.ndarray:
        if len(observations) == self.n_envs:
            self.seen = torch.as_tensor(observations)
        return observations

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        states = self.seen if len(transitions) == self.n_envs else transitions.next_obs
        with torch.no_grad():
            return self.error(states)

    def guarantees(self) -> Guarantees:
        return Guarantees()


class ViewsTheBatch(Sound):
    """What an observation looks like depends on those beside it; a last observation is viewed alone."""

    def view(self, observations: np.ndarray) -> np.ndarray:
        return (observations - observations.mean(0)).astype(observations.dtype)


class RunningStatistics(Sound):
    """Everyone's observations move the statistics, and yet a bonus is said to depend on its transition alone."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.register_buffer("mean", torch.zeros(self.predictor.in_features))

    def observe(self, transitions: Transitions) -> None:
        self.mean.lerp_(super().features(transitions.next_obs).mean(0), 0.1)

    def features(self, states: torch.Tensor) -> torch.Tensor:
        return super().features(states) - self.mean

    def claim(self) -> Guarantees:
        return Guarantees(depends_on="transition")

    guarantees = claim


class EndlessEpisodes(Sound):
    """An episodic memory, the mean of each environment's episode, that is never cleared."""

    clears = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.register_buffer("memory", torch.zeros(self.n_envs, self.predictor.in_features))

    def observe(self, transitions: Transitions) -> None:
        if self.clears:
            self.memory[self.ended] = 0
            self.ended = transitions.done
        self.memory.lerp_(self.features(transitions.next_obs), 0.5)

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        distance = (self.features(transitions.next_obs) - self.memory[transitions.env_index]).square().mean(1)
        return super().bonus(transitions) * distance

    def guarantees(self) -> Guarantees:
        return Guarantees(depends_on="episode")


class EpisodicMemory(EndlessEpisodes):
    """The same, done right: it begins anew with every episode."""

    clears = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.register_buffer("ended", torch.zeros(self.n_envs, dtype=torch.bool))


class Counts(Sound):
    """``1 / sqrt(n)`` of the next state in its episode, times the error: an episodic counter without a fault."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen = Seen(self.n_envs, self.predictor.in_features)

    def track(self, transitions: Transitions) -> None:
        self.seen.advance(transitions, self.features)

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return super().bonus(transitions) * (self.seen.answer(transitions, self.features) + 1.0).rsqrt()

    def guarantees(self) -> Guarantees:
        return Guarantees(depends_on="episode")


class Seen(EpisodeMemory):
    """How often each state was in its episode."""

    def __init__(self, n_envs: int, size: int) -> None:
        super().__init__(n_envs)
        self.rings = EpisodeRings(n_envs, 100, (size,))

    def compare(self, states: torch.Tensor, envs: torch.Tensor) -> torch.Tensor:
        rows, filled = self.rings.read(envs)
        return ((rows - states.unsqueeze(1)).abs().amax(2).lt(1e-6) & filled).sum(1)

    def insert(self, states: torch.Tensor, envs: torch.Tensor) -> None:
        self.rings.push(states, envs)


class ModestCounts(Counts):
    """The same, claiming nothing."""

    def guarantees(self) -> Guarantees:
        return Guarantees()


class PlantedCounts(Sound):
    """An episodic counter by hand, with a place for each fault. This one has none."""

    capacity = 200
    claims: Literal["episode", "past"] = "past"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.register_buffer("codes", torch.zeros(self.n_envs, self.capacity, dtype=torch.int64))
        self.register_buffer("lengths", torch.zeros(self.n_envs, dtype=torch.int64))
        self.register_buffer("fresh", torch.ones(self.n_envs, dtype=torch.bool))
        self.scored: tuple[torch.Tensor, torch.Tensor] | None = None

    def code(self, states: torch.Tensor) -> torch.Tensor:
        rounded = (self.features(states) * 100).round().long()
        weights = torch.arange(1, rounded.shape[1] + 1, device=self.device)
        return (rounded * weights * weights).sum(1)

    def ended(self, transitions: Transitions) -> torch.Tensor:
        return transitions.done

    def place(self, transitions: Transitions) -> torch.Tensor:
        return transitions.env_index

    def count(self, transitions: Transitions) -> torch.Tensor:
        places = self.place(transitions)
        known = torch.arange(self.capacity, device=self.device) < self.lengths[places].unsqueeze(1)
        return ((self.codes[places] == self.code(transitions.next_obs).unsqueeze(1)) & known).sum(1)

    def insert(self, codes: torch.Tensor, places: torch.Tensor) -> None:
        for code, place in zip(codes.tolist(), places.tolist(), strict=True):
            self.codes[place, self.lengths[place] % self.capacity] = code
            self.lengths[place] += 1

    def track(self, transitions: Transitions) -> None:
        places = self.place(transitions)
        begins = self.fresh[transitions.env_index]
        self.insert(self.code(transitions.obs[begins]), places[begins])
        self.scored = transitions.next_obs, self.count(transitions)
        self.insert(self.code(transitions.next_obs), places)
        self.fresh[transitions.env_index] = self.ended(transitions)
        self.lengths[places[self.ended(transitions)]] = 0

    def begin_episodes(self) -> None:
        self.lengths.zero_()
        self.fresh.fill_(True)

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        known = self.scored is not None and self.scored[0] is transitions.next_obs
        seen = self.scored[1] if self.scored is not None and known else self.count(transitions)
        return super().bonus(transitions) * (seen + 1.0).rsqrt()

    def guarantees(self) -> Guarantees:
        return Guarantees(depends_on=self.claims)


class NeverClears(PlantedCounts):
    def ended(self, transitions: Transitions) -> torch.Tensor:
        return torch.zeros_like(transitions.done)


class ClearsOnTerminatedOnly(PlantedCounts):
    def ended(self, transitions: Transitions) -> torch.Tensor:
        return transitions.terminated


class ClearsBeforeTheBonus(PlantedCounts):
    """The count is asked for when the memory of an episode that ends is empty already."""

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        if self.scored is not None and self.scored[0] is transitions.next_obs:
            self.scored = transitions.next_obs, torch.where(transitions.done, 0, self.scored[1])
        return super().bonus(transitions)


class OneMemoryForAll(PlantedCounts):
    def place(self, transitions: Transitions) -> torch.Tensor:
        return torch.zeros_like(transitions.env_index)


class IgnoresEnvIndex(PlantedCounts):
    def place(self, transitions: Transitions) -> torch.Tensor:
        return torch.arange(len(transitions), device=self.device) % self.n_envs


class ForgetsTheFirstState(PlantedCounts):
    def track(self, transitions: Transitions) -> None:
        self.fresh.fill_(False)
        super().track(transitions)


class ClearsInTrainingOnly(PlantedCounts):
    """The memory is cleared by `observe`, which phases that do not train the method never call."""

    def ended(self, transitions: Transitions) -> torch.Tensor:
        return torch.zeros_like(transitions.done)

    def observe(self, transitions: Transitions) -> None:
        done = transitions.done
        self.lengths[transitions.env_index[done]] = 0
        self.fresh[transitions.env_index[done]] = True


class OutlivesAReset(PlantedCounts):
    def begin_episodes(self) -> None:
        pass


class HashesByTheProcess(PlantedCounts):
    """Python's hash of bytes is another in every process."""

    def code(self, states: torch.Tensor) -> torch.Tensor:
        return torch.tensor([hash(row.numpy().tobytes()) for row in self.features(states)], dtype=torch.int64)


class CountsBesideTheState(PlantedCounts):
    """The counts are lost with the object."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        lengths, codes = self.lengths, self.codes
        del self.lengths, self.codes
        self.lengths, self.codes = lengths, codes

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("lengths", "codes") and name not in self._buffers:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)


def on_steps(kind: type[PlantedCounts]) -> Subject:
    """The counter, as it was before there was `track`: it follows episodes while it observes, and says so."""
    made = type(f"{kind.__name__}OnSteps", (kind,), {"claims": "episode", "observe": kind.track, "track": Sound.track})
    return subject(made, works_with={"on_policy"})


class OverlyModestStatistics(RunningStatistics):
    """The statistics depend on everyone's past, which nobody promised otherwise."""

    def guarantees(self) -> Guarantees:
        return Guarantees()


# The off-policy life ---------------------------------------------------------------------------------------------------
class Pooled(nn.Module):
    features_dim = 49

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size, 49)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.layer(F.adaptive_avg_pool2d(states / 255, 7).flatten(1) if states.ndim == 4 else states)


class Represents(Sound):
    """Sound, with every hook of the off-policy life in use."""

    def __init__(self, config: SoundConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.encoder = Pooled(self.predictor.in_features)
        self.register_buffer("candidate", torch.zeros(()))
        self.to(device)

    def augment(self, observations: torch.Tensor) -> torch.Tensor:
        shift = int(torch.randint(3, (), generator=self.generator))
        return observations.roll(shift, -1) if self.images else observations.clone()

    def observe_batch(self, transitions: Transitions) -> None:
        row = int(torch.randint(len(transitions), (), generator=self.generator))
        self.candidate = transitions.next_obs[row].float().mean()

    def representation(self) -> nn.Module:
        return self.encoder


class AugmentDropsRows(Sound):
    def augment(self, observations: torch.Tensor) -> torch.Tensor:
        return observations[1:]


class AugmentWrites(Sound):
    def augment(self, observations: torch.Tensor) -> torch.Tensor:
        return observations.mul_(0)


class AugmentIsGlobal(Sound):
    def augment(self, observations: torch.Tensor) -> torch.Tensor:
        return observations.roll(int(torch.randint(3, ())), 0)


class CandidatesAreGlobal(Represents):
    def observe_batch(self, transitions: Transitions) -> None:
        torch.randperm(len(transitions))


class NeedsFullBatches(Sound):
    def observe_batch(self, transitions: Transitions) -> None:
        self.candidates = transitions.next_obs.view(-1, 4, *transitions.next_obs.shape[1:])


class RepresentationWithoutSize(Represents):
    def representation(self) -> nn.Module:
        return self.target


class RepresentationAnew(Represents):
    def representation(self) -> nn.Module:
        return Pooled(self.predictor.in_features)


class RepresentationBesideItsState(Represents):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.hidden = (Pooled(self.predictor.in_features),)

    def representation(self) -> nn.Module:
        return self.hidden[0]


class CandidatesBesideItsState(Represents):
    seen = 0.0

    def observe_batch(self, transitions: Transitions) -> None:
        self.seen += 1

    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return super().bonus(transitions) + self.seen


SOUND = (Sound, Represents, EpisodicMemory, OverlyModestStatistics)


SOUND_ON_POLICY = (Counts, ModestCounts, PlantedCounts)
"""Those that follow episodes."""


class StaysOnTheCpu(Sound):
    """Keeps what it has seen where it was built, not on its device."""

    def __init__(self, config: SoundConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.mean = torch.zeros(16)

    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return (self.target(self.features(transitions.next_obs)) - self.mean).square().mean(1)


class LooksThroughNumPy(Sound):
    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return torch.from_numpy(np.asarray(super().bonus(transitions)))


class DrawsOnTheCpu(Sound):
    def distillation_loss(self, transitions: Transitions) -> torch.Tensor:
        kept = torch.rand(len(transitions), generator=self.generator, device=transitions.next_obs.device) < 0.9
        return (self.error(transitions.next_obs) * kept).mean()


class AnswersOnTheCpu(Sound):
    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> torch.Tensor:
        return super().bonus(transitions).cpu()


BROKEN: dict[str, dict[str, Subject]] = {
    "off_policy": {
        kind.__name__: subject(kind)
        for kind in (
            AugmentDropsRows,
            AugmentWrites,
            AugmentIsGlobal,
            CandidatesAreGlobal,
            RepresentationWithoutSize,
            RepresentationAnew,
            RepresentationBesideItsState,
            CandidatesBesideItsState,
        )
    },
    "config": {
        "a field without meaning": subject(config=Silent),
        "a default out of bounds": subject(config=OutOfBounds),
        "not the same after JSON": subject(config=LostInJSON),
    },
    "presets": {
        "a misspelt field": subject(presets=[Preset(name="a", source="b", config={"learning_rat": 0.1})]),
        "a wrong combination": subject(presets=[Preset(name="a", source="b", combine={"mode": "product"})]),
        "no source": subject(presets=[Preset(name="a", source=" ")]),
    },
    "worlds": {kind.__name__: subject(kind) for kind in (RefusesEverything, RefusesWithoutAWord)},
    "bonus": {kind.__name__: subject(kind) for kind in (Double, Column, WithGradient)},
    "finite": {kind.__name__: subject(kind) for kind in (DividesByDeviation,)},
    "metrics": {kind.__name__: subject(kind) for kind in (TensorMetric, NanMetric, PrefixedMetric, NoMetrics)},
    "learners": {kind.__name__: subject(kind) for kind in (NanMetric,)},
    "seed": {kind.__name__: subject(kind) for kind in (Unseeded, IgnoresItsSeed, GlobalTorch)},
    "streams": {kind.__name__: subject(kind) for kind in (GlobalTorch, GlobalNumPy, GlobalPython)},
    "bonus_is_pure": {kind.__name__: subject(kind) for kind in (LearnsWhileScoring, CountsBesideItsState)},
    "inputs": {kind.__name__: subject(kind) for kind in (WritesIntoTheRollout,)},
    "resume": {kind.__name__: subject(kind) for kind in (CountsBesideItsState, ForgetsItsOptimizer, CountsBesideTheState)},
    "fresh_process": {"HashesByTheProcess": subject(HashesByTheProcess, works_with={"on_policy"})},
    "episodes": {
        **{
            kind.__name__: subject(kind, works_with={"on_policy"})
            for kind in (
                NeverClears,
                ClearsOnTerminatedOnly,
                ClearsBeforeTheBonus,
                OneMemoryForAll,
                IgnoresEnvIndex,
                ForgetsTheFirstState,
                ClearsInTrainingOnly,
                OutlivesAReset,
            )
        },
        "says that it works off-policy": subject(Counts),
    },
    "memory": {kind.__name__: subject(kind) for kind in (KeepsGraphs, KeepsArrays)},
    "learns": {kind.__name__: subject(kind) for kind in (NeverLearns, LearnsTheWrongWay)},
    "frozen": {kind.__name__: subject(kind) for kind in (TargetDrifts, MisspeltFrozen)},
    "gradients": {kind.__name__: subject(kind) for kind in (NoStopGradient, MisspeltLoss, LossWithoutGradient)},
    "bonus_order": {
        **{kind.__name__: subject(kind) for kind in (CentredOnItsBatch, FirstComeFirstServed)},
        "IgnoresEnvIndex": on_steps(IgnoresEnvIndex),
    },
    "update_order": {kind.__name__: subject(kind) for kind in (OneAfterTheOther,)},
    "device": {kind.__name__: subject(kind) for kind in (StaysOnTheCpu, LooksThroughNumPy, DrawsOnTheCpu, AnswersOnTheCpu)},
    "last_step": {kind.__name__: subject(kind) for kind in (ScoresWhatItSawLast, ViewsTheBatch)},
    "boundaries": {
        **{kind.__name__: subject(kind) for kind in (ScoresWhatItSawLast, RunningStatistics, EndlessEpisodes)},
        **{
            kind.__name__: on_steps(kind)
            for kind in (NeverClears, ClearsOnTerminatedOnly, ClearsBeforeTheBonus, OneMemoryForAll)
        },
    },
}
"""By the check that they must fail; the mistake, or the name of the class that makes it."""

CRASHING = {"worlds": (ImagesCrash, ContinuousCrash), "resume": (CannotBeSaved,), "off_policy": (NeedsFullBatches,)}
"""Methods that raise something of their own in a check."""
