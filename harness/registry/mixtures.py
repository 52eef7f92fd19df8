"""Mixtures: several methods as one, with a name, a description and a configuration like any other method's.

A weighted sum of methods is called by their names with ``+`` between them, such as ``re3+rnd``; a product of a lifelong and an
episodic novelty, as NGU has it, with ``*``, such as ``rnd*pseudo_counts``. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, create_model

from harness.config import KIND_AXES, Config, IntrinsicRewardConfig, LearnerKind, Search
from harness.errors import UserError
from harness.registry.hooks import Method, Preset

Form = Literal["sum", "product"]

SIGNS: Mapping[Form, str] = {"sum": "+", "product": "*"}
"""What stands between the names of a mixture's members."""

_MEMBER = "harness.mixtures.reward:Mixture"
_FOLLOWS_EPISODES = "harness.mixtures.reward:OnPolicyMixture"


@dataclass(frozen=True, kw_only=True)
class Mixture(Method):
    """A method that is made of others.

    Attributes:
        form: How bonuses become one: their weighted ``sum``, or the ``product`` of the second member's bonus, the episodic
            one, and the first's, the lifelong one, standardised.
        members: Descriptions of the methods.
    """

    form: Form
    members: Sequence[Method]


class MixtureConfig(IntrinsicRewardConfig):
    """The base of the configurations of mixtures, which have one part for each member, by its name."""

    form: ClassVar[Form] = "sum"
    rewards: ClassVar[Mapping[str, str]] = {}
    """Import paths of the members' classes, by their names."""

    @property
    def members(self) -> dict[str, IntrinsicRewardConfig]:
        """The configuration of each member, by its name."""
        return {name: getattr(self, name) for name in self.rewards}


def mixture_name(form: Form, names: Sequence[str]) -> str:
    """The name of a mixture; sums are named alike whatever order their members are written in.

    Raises:
        ValueError: These are no members of such a mixture.
    """
    if form == "product" and len(names) != 2:
        raise ValueError("a product has two members: a lifelong novelty, then an episodic one")
    if len(names) < 2:
        raise ValueError("a mixture has two members or more")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} is in the mixture twice")
    return SIGNS[form].join(sorted(names) if form == "sum" else names)


def split_name(name: str) -> tuple[Form, list[str]] | None:
    """How a mixture of this name is formed, and the names of its members; ``None`` for a name of anything else."""
    for form, sign in SIGNS.items():
        if sign in name:
            return form, [part.strip() for part in name.split(sign)]
    return None


def describe_mixture(form: Form, members: Sequence[Method]) -> Mixture:
    """The description of a mixture.

    Raises:
        UserError: No learner is of a kind that all of its members work with.
    """
    name = mixture_name(form, [member.name for member in members])
    members = sorted(members, key=lambda member: member.name) if form == "sum" else members
    works_with = _common_kinds(name, members)
    together = " and ".join(member.name for member in members)
    summaries = {
        "sum": f"The weighted sum of the bonuses of {together}.",
        "product": f"The bonus of {members[-1].name}, times that of {members[0].name}, standardised, between 1 and a limit.",
    }
    return Mixture(
        name=name,
        reward=_MEMBER if "off_policy" in works_with else _FOLLOWS_EPISODES,
        config=f"{MixtureConfig.__module__}:{MixtureConfig.__name__}",
        summary=summaries[form],
        paper="; ".join(dict.fromkeys(member.paper for member in members if member.paper)),
        works_with=works_with,
        presets=tuple(_presets(form, members)),
        packages=tuple(dict.fromkeys(package for member in members for package in member.packages)),
        form=form,
        members=tuple(members),
    )


def _common_kinds(name: str, members: Sequence[Method]) -> frozenset[LearnerKind]:
    """The kinds of learner that all members work with."""
    kinds: set[LearnerKind] = set()
    for axis, of_axis in KIND_AXES.items():
        named = [of_axis & frozenset(member.works_with) for member in members]
        common = reduce(lambda one, other: one & other, [kinds or of_axis for kinds in named])
        if not common:
            wanted = ", ".join(
                f"{member.name} needs {' or '.join(sorted(of_axis & frozenset(member.works_with)))}" for member in members
            )
            raise UserError(f"{name!r} is no mixture that any learner could train with: {wanted} ({axis})")
        if any(named):
            kinds |= common  # type: ignore[arg-type]  # the axes hold these kinds and nothing else
    return frozenset(kinds)


def _presets(form: Form, members: Sequence[Method]) -> Iterator[Preset]:
    """One preset for each choice of the members' own; the first is that of their first ones."""
    choices = [list(member.presets) or [Preset(name="default", source="")] for member in members]
    for chosen in product(*choices) if any(member.presets for member in members) else ():
        pairs = list(zip(members, chosen, strict=True))
        yield Preset(
            name=SIGNS[form].join(preset.name for preset in chosen),
            source="; ".join(f"{member.name}: {preset.source}" for member, preset in pairs if preset.source),
            config={member.name: dict(preset.config) for member, preset in pairs},
        )


def mixture_config(mixture: Mixture, members: Mapping[str, type[Config]]) -> type[MixtureConfig]:
    """The configuration of a mixture.

    Args:
        mixture: Description of the mixture.
        members: Configurations of the members, by their names.
    """
    fields: dict[str, Any] = {}
    if mixture.form == "sum":
        weights: dict[str, Any] = {
            name: (
                Annotated[float, Search(low=1e-3, high=10.0, log=True)],
                Field(default=1.0, ge=0, description=f"Weight of the bonus of {name}."),
            )
            for name in members
        }
        model = create_model("Weights", __base__=Config, __module__=__name__, **weights)
        fields["weights"] = (model, Field(default_factory=model, description="Weights of the members' bonuses."))
    else:
        description = "Largest factor by which a lifelong novelty multiplies the episodic one; the smallest is 1."
        fields["limit"] = (Annotated[float, Search(low=1.5, high=10.0)], Field(default=5.0, ge=1, description=description))
    for name, config in members.items():
        if name in fields or hasattr(MixtureConfig, name):
            raise UserError(f"a method called {name!r} cannot be a part of a mixture")
        required = any(info.is_required() for info in config.model_fields.values())
        default: Any = {} if required else {"default_factory": config}
        fields[name] = (config, Field(description=f"Settings of {name}.", **default))
    made = create_model("MixtureOf", __base__=MixtureConfig, __module__=__name__, __doc__=mixture.summary, **fields)
    made.form, made.rewards = mixture.form, {member.name: member.reward for member in mixture.members}
    return made


def member_configs(config: Config) -> dict[tuple[str, ...], Config]:
    """The configurations of single methods in one, each by the keys that lead to it: of a mixture's members, or itself."""
    if isinstance(config, MixtureConfig):
        return {(name,): member for name, member in config.members.items()}
    return {(): config}
