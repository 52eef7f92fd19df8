"""Published settings as data; every value is followed by its source, or by "unchecked" where only second hands were at hand.

Code is cited as repository@commit: RIDE is facebookresearch/impact-driven-exploration@877c4ea, E3B is
facebookresearch/e3b@edd2cce (minihack/torchbeast), NOV is tianjunz/NovelD@ed9680e, RE3 is younggyoseo/RE3@66cc4d1, URLB is
rll-research/url_benchmark@bb98f0c, RLLTE is RLE-Foundation/rllte@ef55dda (rllte/xplore/reward), DRZ is
michaelnny/deep_rl_zoo@19e3844.
"""

from __future__ import annotations

from harness_episodic.presets.counting import COUNTS, NOVELD
from harness_episodic.presets.dynamics import E3B, NGU, PSEUDO_COUNTS, RIDE
from harness_episodic.presets.particles import APT, ICM_APT, RE3

__all__ = ["APT", "COUNTS", "E3B", "ICM_APT", "NGU", "NOVELD", "PSEUDO_COUNTS", "RE3", "RIDE"]
