"""What this package gives the harness: the three published SND methods, and five more objectives for the same idea."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Method, Preset, hookimpl
from harness_snd import presets

_PECHAC = "Pechac et al. 2024, arXiv 2302.11563"


@hookimpl
def harness_methods() -> Sequence[Method]:
    return [
        _method("V", "pairs", "equal and different states in augmented pairs", _PECHAC, presets.SND_V),
        _method("STD", "stdim", "ST-DIM, contrast in space and time", _PECHAC, presets.SND_STD),
        _method("VIC", "vicreg", "VICReg on consecutive states", _PECHAC, presets.SND_VIC),
        _method("Barlow", "barlow_twins", "Barlow Twins", "Zbontar et al. 2021, arXiv 2103.03230"),
        _method("SimCLR", "simclr", "SimCLR", "Chen et al. 2020, arXiv 2002.05709"),
        _method("BYOL", "byol", "BYOL", "Grill et al. 2020, arXiv 2006.07733"),
        _method("CURL", "curl", "CURL", "Laskin et al. 2020, arXiv 2004.04136"),
        _method("Inverse", "inverse", "inverse dynamics", "Pathak et al. 2017, arXiv 1705.05363"),
    ]


def _method(
    name: str, objective: str, learns_by: str, paper: str, published: Sequence[Preset] = presets.BEYOND_THE_PAPER
) -> Method:
    """The method whose classes are called after it, in the file of its objective."""
    return Method(
        name=f"snd_{name.lower()}",
        reward=f"harness_snd.objectives.{objective}:SND{name}",
        config=f"harness_snd.configs:SND{name}Config",
        summary=f"Network distillation: the bonus is the error in predicting a network that learns by {learns_by}.",
        paper=paper,
        works_with={"on_policy", "off_policy"},
        presets=published,
    )
