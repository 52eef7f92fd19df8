"""The method under test and the cases in which it is tested: built, fed and recorded as a run would do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from gymnasium import spaces as gym_spaces
from torch import Tensor

from harness.algorithms import randomness
from harness.config import KIND_AXES, IntrinsicRewardConfig
from harness.errors import UnknownNameError, UserError
from harness.planning.resolve import deep_merge
from harness.registry import Registry, installed
from harness.registry.hooks import Method
from harness.rewards import Guarantees, IntrinsicReward, Spaces, Transitions
from harness.testing.scripted_envs import (
    ENVIRONMENT_KINDS,
    N_ENVS,
    N_STEPS,
    EnvironmentKind,
    Script,
    random_script,
    recurring_script,
)
from harness.training.contracts import load_reward

_WARM_UP_SEED = 999
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Subject:
    """A method with a configuration.

    Attributes:
        method: Description of the method.
        reward_class: What `Method.reward` names.
        config_class: What `Method.config` names.
        settings: Values over the defaults.
        registry: Where algorithms to try it with are looked up.
    """

    method: Method
    reward_class: type[IntrinsicReward]
    config_class: type[IntrinsicRewardConfig]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    registry: Registry = field(default_factory=installed)

    @classmethod
    def named(
        cls, name: str, *, preset: str | None = None, config: Mapping[str, Any] | None = None, registry: Registry | None = None
    ) -> Subject:
        """An installed method, configured as a suite would: defaults, the preset (the first, if none is named), ``config``.

        Raises:
            UnknownNameError: There is no such method or preset.
            PluginError: The method cannot be imported.
        """
        registry = registry or installed()
        method = registry.method(name)
        presets = registry.presets(method)
        if preset is not None and preset not in presets:
            raise UnknownNameError(f"preset of method {name!r}", preset, presets)
        chosen: Mapping[str, Any] = (
            presets[preset].config if preset else next(iter(presets.values())).config if presets else {}
        )
        config_class = registry.config_class(method)
        assert issubclass(config_class, IntrinsicRewardConfig)
        return cls(method, load_reward(registry, method), config_class, deep_merge(chosen, config or {}), registry)

    @cached_property
    def cases(self) -> Sequence[ConformanceCase]:
        """A case for vectors and one for images, of those that the method works with and does not refuse."""
        found: dict[str, ConformanceCase] = {}
        wanted = KIND_AXES["actions"] & self.method.works_with
        for kind in ENVIRONMENT_KINDS:
            if wanted and kind.actions not in wanted:
                continue
            case = ConformanceCase(self, kind)
            if kind.observations not in found and case.refusal is None:
                found[kind.observations] = case
        return tuple(found.values())


@dataclass(frozen=True)
class ConformanceCase:
    """A method in environments of one kind."""

    subject: Subject
    kind: EnvironmentKind
    device: torch.device = _CPU

    @property
    def refusal(self) -> str | None:
        """Why the method refuses these environments, or ``None`` if it does not."""
        return None if isinstance(self._first_build, Guarantees) else self._first_build

    @property
    def guarantees(self) -> Guarantees:
        """What the method promises here; nothing if it refuses these environments."""
        return self._first_build if isinstance(self._first_build, Guarantees) else Guarantees()

    @property
    def supports_off_policy(self) -> bool:
        """Whether the method works with off-policy learners."""
        return "off_policy" in self.subject.method.works_with

    @property
    def follows_episodes(self) -> bool:
        """Whether the method keeps something of the present episodes."""
        return self.subject.reward_class.track is not IntrinsicReward.track

    @property
    def off_policy_only(self) -> bool:
        """Whether it works with no others."""
        return "on_policy" not in self.subject.method.works_with

    @cached_property
    def _first_build(self) -> Guarantees | str:
        """What the first object that was built here had to say."""
        try:
            return self.build().guarantees()
        except UserError as error:
            return str(error)

    def build(self, seed: int = 0) -> IntrinsicReward:
        """The method as a run builds it, on one thread."""
        return self._build(self.kind.spaces, N_ENVS, seed)

    def build_for(self, spaces: Spaces, n_envs: int) -> IntrinsicReward:
        """The method for environments of the same kind.

        Args:
            spaces: Spaces of one environment.
            n_envs: Number of environments, N.
        """
        return self._build(spaces, n_envs, 0)

    def _build(self, spaces: Spaces, n_envs: int, seed: int) -> IntrinsicReward:
        randomness.make_deterministic(self.device, threads=1)
        config = self.subject.config_class.model_validate(self.subject.settings)
        with randomness.temporary_seed(seed):
            reward = self.subject.reward_class(config, spaces, n_envs, self.device, seed)
        return reward.to(self.device)

    def script(self, seed: int) -> Script:
        """What happens in a rollout of unrelated states; equal seeds, equal rollouts."""
        return random_script(self.kind, seed)

    def recurring_script(self, seed: int, n_steps: int = N_STEPS) -> Script:
        """What happens where few states come again and again; equal seeds, equal rollouts."""
        return recurring_script(self.kind, seed, n_steps=n_steps)

    def steps(self, reward: IntrinsicReward, script: Script) -> list[Transitions]:
        """What the method is given at each step of a script."""
        return [self._step(reward, script, t) for t in range(len(script))]

    def rollout(self, reward: IntrinsicReward, script: Script) -> Transitions:
        """What the method is given at the end of a rollout: the transitions of all steps in time order."""
        return concatenate(self.steps(reward, script))

    def warm_up(self, reward: IntrinsicReward) -> None:
        """Let the method see as many random steps as it asks for before training."""
        for step in islice(cycle(self.steps(reward, self.script(_WARM_UP_SEED))), reward.warm_up_steps):
            reward.observe(step)

    def run_rollouts(self, reward: IntrinsicReward, *seeds: int, recurring: bool = False) -> dict[str, Tensor]:
        """Go through a rollout for each seed as a run does, and record every number that comes out.

        Args:
            reward: The method, which learns from them.
            seeds: Seeds of the scripts.
            recurring: Whether few states come again and again in them.

        Returns:
            For each rollout the bonuses ``(T, N)``, raw and normalised, and all metrics.
        """
        record: dict[str, Tensor] = {}
        for seed in seeds:
            script = self.recurring_script(seed) if recurring else self.script(seed)
            for name, values in self.run_rollout(reward, script).items():
                record[f"{name} of rollout {seed}"] = values
        return record

    def run_rollout(self, reward: IntrinsicReward, script: Script) -> dict[str, Tensor]:
        """Go through one rollout as a run does: `track`, `observe` and `bonus` at every step, then normalisation and `update`.

        Methods for off-policy algorithms alone run as they do: `run_off_policy_batch`.
        """
        if self.off_policy_only:
            return self.run_off_policy_batch(reward, script)
        steps, bonuses = self.steps(reward, script), list[torch.Tensor]()
        for step in steps:
            reward.track(step)
            reward.observe(step)
            bonuses.append(reward.bonus(step))
        record = {"bonuses": torch.stack(bonuses)}
        if reward.normaliser is not None:
            record["normalised bonuses"] = reward.normaliser.normalise_rollout(record["bonuses"])
        rollout = concatenate(steps)
        metrics = reward.update(rollout) | reward.diagnose(rollout)
        return record | _as_tensors(metrics)

    def run_off_policy_batch(self, reward: IntrinsicReward, script: Script) -> dict[str, Tensor]:
        """See every step of a script, then learn from it and score it as one batch from a replay buffer."""
        self.observe(reward, script)
        batch = self.augment(reward, self.sample(reward, script, script.done.size))
        metrics = reward.update(batch)
        reward.observe_batch(batch)
        record = {"bonuses": reward.bonus(batch)}
        metrics |= reward.diagnose(batch)
        if reward.normaliser is not None:
            record["normalised bonuses"] = reward.normaliser.scale(record["bonuses"])
        return record | _as_tensors(metrics)

    def observe(self, reward: IntrinsicReward, script: Script) -> None:
        """Show the method the steps of a script as an off-policy run does."""
        for step in self.steps(reward, script):
            reward.observe(step)
            if reward.normaliser is not None:
                reward.normaliser.normalise_step(reward.bonus(step))

    def sample(self, reward: IntrinsicReward, script: Script, size: int) -> Transitions:
        """Transitions of a script in no order, with repetitions; equal scripts and sizes, equal batches."""
        rollout = self.rollout(reward, script)
        index = torch.randint(len(rollout), (size,), generator=torch.Generator().manual_seed(size))
        return rollout[index.to(self.device)]

    def augment(self, reward: IntrinsicReward, batch: Transitions) -> Transitions:
        """The batch with both of its ends distorted by the method."""
        return replace(batch, obs=reward.augment(batch.obs), next_obs=reward.augment(batch.next_obs))

    def _step(self, reward: IntrinsicReward, script: Script, t: int) -> Transitions:
        dtype = torch.float32 if isinstance(self.kind.spaces.action, gym_spaces.Box) else torch.int64
        n_envs = script.action.shape[1]

        def tensor(values: np.ndarray, dtype: torch.dtype | None = None) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=self.device)

        return Transitions(
            obs=tensor(reward.view(script.obs[t])),
            action=tensor(script.action[t], dtype),
            next_obs=tensor(reward.view(script.next_obs[t])),
            reward=tensor(script.reward[t]),
            terminated=tensor(script.terminated[t]),
            truncated=tensor(script.truncated[t]),
            env_index=torch.arange(n_envs, device=self.device),
        )


def _as_tensors(metrics: Mapping[str, float]) -> dict[str, Tensor]:
    return {f"metric {name!r}": torch.as_tensor(value) for name, value in metrics.items()}


def concatenate(parts: Sequence[Transitions]) -> Transitions:
    """One batch of several."""
    return Transitions(**{name: torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])})
