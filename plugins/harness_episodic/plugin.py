"""What this package gives the harness: nine methods of counts, episodic memories and particle entropy."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Method, hookimpl
from harness_episodic import presets


@hookimpl
def harness_methods() -> Sequence[Method]:
    return [*_episodic_methods(), *_particle_methods()]


def _episodic_methods() -> Sequence[Method]:
    return [
        Method(
            name="counts",
            reward="harness_episodic.methods.counts:Counts",
            config="harness_episodic.configs.counting:CountsConfig",
            summary="Counts: the bonus is the inverse root of a state's visits, in its episode, in all training, or both.",
            paper="Tang et al. 2017, arXiv 1611.04717",
            works_with={"on_policy"},
            presets=presets.COUNTS,
        ),
        Method(
            name="pseudo_counts",
            reward="harness_episodic.methods.ngu:PseudoCounts",
            config="harness_episodic.configs.dynamics:PseudoCountsConfig",
            summary="Pseudo-counts: the bonus falls with the number of similar states in the episode, as in NGU.",
            paper="Badia et al. 2020, arXiv 2002.06038",
            works_with={"on_policy"},
            presets=presets.PSEUDO_COUNTS,
        ),
        Method(
            name="ngu",
            reward="harness_episodic.methods.ngu:NGU",
            config="harness_episodic.configs.dynamics:NGUConfig",
            summary="Never Give Up: pseudo-counts of the episode, times a factor that grows with lifelong novelty.",
            paper="Badia et al. 2020, arXiv 2002.06038",
            works_with={"on_policy"},
            presets=presets.NGU,
        ),
        Method(
            name="ride",
            reward="harness_episodic.methods.ride:Ride",
            config="harness_episodic.configs.dynamics:RideConfig",
            summary="RIDE: the bonus is how far an action moves the embedding, over the root of visits in the episode.",
            paper="Raileanu and Rocktaeschel 2020, arXiv 2002.12292",
            works_with={"on_policy"},
            presets=presets.RIDE,
        ),
        Method(
            name="e3b",
            reward="harness_episodic.methods.e3b:E3B",
            config="harness_episodic.configs.dynamics:E3BConfig",
            summary="E3B: the bonus is the elliptical norm of the embedded state in its episode's inverse covariance.",
            paper="Henaff et al. 2022, arXiv 2210.05805",
            works_with={"on_policy"},
            presets=presets.E3B,
        ),
        Method(
            name="noveld",
            reward="harness_episodic.methods.noveld:NovelD",
            config="harness_episodic.configs.counting:NovelDConfig",
            summary="NovelD: the bonus is what random network distillation's error grows by, on an episode's first visits.",
            paper="Zhang et al. 2021, arXiv 2012.08621",
            works_with={"on_policy"},
            presets=presets.NOVELD,
        ),
    ]


def _particle_methods() -> Sequence[Method]:
    return [
        Method(
            name="re3",
            reward="harness_episodic.methods.re3:RE3",
            config="harness_episodic.configs.particles:RE3Config",
            summary="RE3: the bonus is the distance to near neighbours among past states in a frozen random space.",
            paper="Seo et al. 2021, arXiv 2102.09430",
            works_with={"on_policy", "off_policy"},
            presets=presets.RE3,
        ),
        Method(
            name="apt",
            reward="harness_episodic.methods.apt:APT",
            config="harness_episodic.configs.particles:APTConfig",
            summary="APT: the bonus is the distance to near neighbours in the batch, in the space of observations.",
            paper="Liu and Abbeel 2021, arXiv 2103.04551",
            works_with={"on_policy", "off_policy"},
            presets=presets.APT,
        ),
        Method(
            name="icm_apt",
            reward="harness_episodic.methods.apt:ICMAPT",
            config="harness_episodic.configs.particles:ICMAPTConfig",
            summary="ICM-APT: the distance to near neighbours in the batch, where inverse and forward dynamics embed states.",
            paper="Liu and Abbeel 2021, arXiv 2103.04551, as in Laskin et al. 2021, arXiv 2110.15191",
            works_with={"on_policy", "off_policy"},
            presets=presets.ICM_APT,
        ),
    ]
