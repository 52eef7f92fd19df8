"""Several methods as one: the weighted sum of their bonuses, or the product of a lifelong and an episodic novelty.

With b_i the bonus of member i, after its own normaliser:

    sum        sum_i w_i b_i
    product    b_episodic * min(max(1 + (b_lifelong - mean) / deviation, 1), limit), with the running moments of b_lifelong
               before its normaliser (Badia et al. 2020, arXiv 2002.06038, equation 1)

Members are not told of each other: each has its own configuration, generator, networks and view of the observations. What
normalises a member learns at every step by which the member learns, before the bonus of that step is asked for, so that a
rollout is never divided by what came after it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from harness.errors import UserError
from harness.mixtures.views import JointView
from harness.nn.moments import RunningMoments
from harness.registry import Registry
from harness.registry.mixtures import MixtureConfig
from harness.rewards import Guarantees, IntrinsicReward, Spaces, Transitions

_REACH = ("transition", "episode", "past")


class Mixture(IntrinsicReward[MixtureConfig]):
    """A mixture of methods that follow no episodes; see the module for formulas.

    Raises:
        UserError: When a member refuses the observations, or more than one learns what actor and critics see.
    """

    def __init__(self, config: MixtureConfig, spaces: Spaces, n_envs: int, device: torch.device | str, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.members = nn.ModuleDict(
            {name: _member(config, name, spaces, n_envs, self.device, own) for name, own in _seeds(config, seed)}
        )
        self._joint = JointView(self._rewards, spaces.observation)
        self.lifelong = RunningMoments() if config.form == "product" else None
        self.warm_up_steps = max(member.warm_up_steps for member in self._rewards)
        self._warm_up_left = self.warm_up_steps
        self._shown: tuple[weakref.ref[Tensor], int, list[Transitions]] | None = None
        self._earned: dict[str, float | Tensor] = dict.fromkeys(self.members, 0.0)
        self._asked = 0
        self.to(self.device)
        self._for_the_learner = (self._find_representation(),)  # a tuple hides what is a member's from torch's registration

    # What is looked at ------------------------------------------------------------------------------------------------
    def view(self, observations: np.ndarray) -> np.ndarray:
        """What the members look at, as one array; whole observations if all look at these."""
        return self._joint.pack(observations)

    def augment(self, observations: Tensor) -> Tensor:
        """What each member makes of its view, as one tensor."""
        return self._joint.augment(observations)

    def representation(self) -> nn.Module | None:
        """That of the member that has one."""
        return self._for_the_learner[0]

    # What is learned --------------------------------------------------------------------------------------------------
    def begin_episodes(self) -> None:
        """Every member's episodes begin anew."""
        for member in self._rewards:
            member.begin_episodes()

    def observe(self, transitions: Transitions) -> None:
        """Every member sees the step; outside of the warm-up, what brings its bonuses to a scale learns from them.

        A member that asks for fewer random steps than others sees the last of them.
        """
        warming, self._warm_up_left = self._warm_up_left, max(0, self._warm_up_left - 1)
        for member, part in zip(self._rewards, self._parts(transitions), strict=True):
            if warming <= member.warm_up_steps:
                member.observe(part)
        if warming:
            return
        for name, member, part in self._with_parts(transitions):
            if self.lifelong is not None and name == self._lifelong_name:
                self.lifelong.update(member.bonus(part))
            elif member.normaliser is not None:
                member.normaliser.normalise_step(member.bonus(part), start="horizon")

    def observe_batch(self, transitions: Transitions) -> None:
        """Every member sees the sampled batch."""
        for _, member, part in self._with_parts(transitions):
            member.observe_batch(part)

    def update(self, transitions: Transitions) -> dict[str, float]:
        """Every member learns.

        Returns:
            The members' metrics, each after its member's name and an underscore.
        """
        return {
            f"{name}_{metric}": value
            for name, member, part in self._with_parts(transitions)
            for metric, value in member.update(part).items()
        }

    # What is earned ---------------------------------------------------------------------------------------------------
    @torch.no_grad()
    def bonus(self, transitions: Transitions) -> Tensor:
        """The members' bonuses as one, float32 ``(B,)``."""
        bonuses = {name: self._scaled(name, member, part) for name, member, part in self._with_parts(transitions)}
        self._asked += len(transitions)
        for name, bonus in bonuses.items():
            self._earned[name] = self._earned[name] + bonus.sum().double()
        if self.lifelong is not None:
            first, second = bonuses.values()
            return first * second
        return torch.stack(list(bonuses.values())).sum(0)

    def diagnose(self, transitions: Transitions) -> dict[str, float]:
        """What the members say of themselves, and what they earn.

        Returns:
            The members' own diagnoses, and ``bonus``, the mean of what the member added since the last call (or multiplied by,
            in a product), and what its normaliser divides by, each after its member's name and an underscore.
        """
        found: dict[str, float] = {}
        for name, member, part in self._with_parts(transitions):
            own = member.diagnose(part) | {"bonus": float(self._earned[name]) / max(self._asked, 1)}
            if member.normaliser is not None and name != self._lifelong_name:
                own |= member.normaliser.metrics()
            found |= {f"{name}_{metric}": value for metric, value in own.items()}
            self._earned[name] = 0.0
        self._asked = 0
        return found

    def guarantees(self) -> Guarantees:
        """What all members guarantee; whatever normalises one of them makes its bonus depend on the past."""
        all_of_them = [member.guarantees() for member in self._rewards]
        past = self.lifelong is not None or any(member.normaliser is not None for member in self._rewards)
        reach = max((_REACH.index(one.depends_on) for one in all_of_them), default=0)
        frozen = [f"members.{name}.{part}" for name, one in zip(self.members, all_of_them, strict=True) for part in one.frozen]
        return Guarantees(
            frozen=frozen,
            depends_on="past" if past else _REACH[reach],
            any_order=all(one.any_order for one in all_of_them),
            deterministic=all(one.deterministic for one in all_of_them),
            remembers=any(one.remembers for one in all_of_them),
        )

    def get_extra_state(self) -> dict[str, Any]:
        """The base's, and how much of the warm-up is still to come; members have states of their own."""
        return super().get_extra_state() | {"warm_up_left": self._warm_up_left}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_extra_state` gave."""
        super().set_extra_state(state)
        self._warm_up_left = int(state["warm_up_left"])

    @property
    def _rewards(self) -> list[IntrinsicReward[Any]]:
        return [cast(IntrinsicReward[Any], member) for member in self.members.values()]

    @property
    def _lifelong_name(self) -> str | None:
        """The member of a product that multiplies the other."""
        return next(iter(self.members)) if self.config.form == "product" else None

    def _with_parts(self, transitions: Transitions) -> Iterator[tuple[str, IntrinsicReward[Any], Transitions]]:
        yield from zip(self.members, self._rewards, self._parts(transitions), strict=True)

    def _parts(self, transitions: Transitions) -> list[Transitions]:
        """What each member sees; the same objects for the same transitions, by which members may know them again."""
        key = transitions.next_obs
        if self._shown is None or self._shown[0]() is not key or self._shown[1] != key._version:
            self._shown = weakref.ref(key), key._version, self._joint.parts(transitions)
        return self._shown[2]

    def _scaled(self, name: str, member: IntrinsicReward[Any], part: Transitions) -> Tensor:
        """What a member adds to the sum, or what it contributes to the product."""
        bonus = member.bonus(part)
        if self.lifelong is not None and name == self._lifelong_name:
            standardised = (bonus - self.lifelong.mean) / self.lifelong.std
            limit: float = getattr(self.config, "limit")  # noqa: B009  # a field that only products have
            return (1 + standardised).clamp(1, limit).to(torch.float32)
        if member.normaliser is not None:
            bonus = member.normaliser.scale(bonus)
        return bonus if self.lifelong is not None else self._weight(name) * bonus

    def _weight(self, name: str) -> float:
        return getattr(getattr(self.config, "weights"), name)  # noqa: B009  # a field that only sums have

    def _find_representation(self) -> nn.Module | None:
        found = {name: module for name, member in self.members.items() if (module := _representation_of(member)) is not None}
        if len(found) > 1:
            raise UserError(f"{' and '.join(found)} cannot be mixed: each learns what actor and critics are to see")
        for name, module in found.items():
            return _OfOneView(module, self._joint, list(self.members).index(name)) if self._joint.packs else module
        return None


class OnPolicyMixture(Mixture):
    """A mixture for on-policy learners alone, whose members may follow episodes."""

    def track(self, transitions: Transitions) -> None:
        """Every member follows its episodes."""
        for _, member, part in self._with_parts(transitions):
            member.track(part)


class _OfOneView(nn.Module):
    """A member's representation, on the views of all."""

    def __init__(self, module: nn.Module, joint: JointView, index: int) -> None:
        super().__init__()
        self._hidden = (module, joint, index)  # a tuple hides the module, which is the member's, from torch's registration
        self.features_dim = module.features_dim

    def forward(self, states: Tensor) -> Tensor:
        module, joint, index = self._hidden
        return module(joint.unpack(states)[index])


def _representation_of(member: nn.Module) -> nn.Module | None:
    return cast(IntrinsicReward[Any], member).representation()


def _seeds(config: MixtureConfig, seed: int) -> Iterator[tuple[str, int]]:
    """The seed of each member, by its name."""
    for name, own in zip(config.members, np.random.SeedSequence(seed).generate_state(len(config.members)), strict=True):
        yield name, int(own)


def _member(
    config: MixtureConfig, name: str, spaces: Spaces, n_envs: int, device: torch.device, seed: int
) -> IntrinsicReward[Any]:
    loaded = Registry([]).load_class(config.rewards[name], IntrinsicReward)
    return loaded(config.members[name], spaces, n_envs, device, seed).to(device)
