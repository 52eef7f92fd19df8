"""A run's training environments over its life: seeded, cut where their log would grow too long, saved, brought back.

Environments that save their state are restored from it. The others are deterministic in their seeds and actions: a checkpoint
keeps the actions since they were last seeded, and resuming does them again, without anything that learns, and compares.
Neither way does a checkpoint change anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from harness.algorithms.action_log import ActionLog, checksum
from harness.config import EnvironmentConfig
from harness.environments.base import StepReturn
from harness.errors import RunError
from harness.registry import Registry
from harness.runs.folder import RunFolder
from harness.spec import SAVES_STATE, Purpose, RunSpec, derive_seeds
from harness.training.assembly import Assembly
from harness.training.provenance import environment_versions

_WARM_UP, _START = 0, 1
"""Draws of training seeds: for random steps before training, and for its first reset; each cut takes the next one."""

ReportReplay = Callable[[float, float | None], None]
"""Called with the share of a replay that is done, and the seconds that are left, if they are known."""


def refuse_runs_with_cuts(spec: RunSpec, registry: Registry) -> None:
    """Refuse a run that was planned when each checkpoint ended all episodes of environments that cannot save their state.

    Raises:
        RunError: It is one; what would be right is named.
    """
    if spec.training_version != SAVES_STATE:
        return
    config = registry.config_class(registry.environment(spec.environment.family)).model_validate(spec.environment.config)
    if isinstance(config, EnvironmentConfig) and not config.saves_state:
        raise RunError(
            f"{spec.path} is a run of November 2026 or earlier, whose checkpoints ended every episode, which they do no more:"
            f" run its suite anew, which trains it beside this one; what is there stays as it is"
        )


class EnvironmentState:
    """The environments of a run under way.

    Args:
        spec: Specification of the run.
        assembly: Objects that train it.
        folder: Where logs of actions go.
        registry: Tells what the environments come from.

    Attributes:
        cuts: How often all episodes were ended together, and seeded anew, so far.
    """

    def __init__(self, spec: RunSpec, assembly: Assembly, folder: RunFolder, registry: Registry) -> None:
        self.spec, self.folder, self.registry = spec, folder, registry
        self.base, self.monitor, self.learner_env = assembly.base, assembly.monitor, assembly.learner_env
        self.log: ActionLog | None = assembly.learner_env.log
        self.cuts = 0

    @property
    def restores(self) -> Literal["state", "replay"]:
        """How the environments come back when the run is resumed."""
        return "state" if self.log is None else "replay"

    @property
    def logged_steps(self) -> int:
        """Steps of each environment that resuming would do again, had the run just been saved."""
        return 0 if self.log is None else len(self.log)

    def seed_warm_up(self) -> int:
        """Seed the steps of random actions before training; returns the seed of the actions."""
        seeds = self._seeds(_WARM_UP, self.base.num_envs + 1)
        self.base.reseed(seeds[:-1])
        return seeds[-1]

    def seed(self, cuts: int = 0) -> None:
        """Seed the next reset.

        Args:
            cuts: Seedings of training that lie behind the run when it begins where another ended.
        """
        self.cuts = cuts
        self._reseed()

    def cut_if_due(self, vector_steps: int) -> None:
        """Have the next iteration end all episodes if the log would otherwise grow beyond what the run allows.

        Args:
            vector_steps: Steps of each environment in the iteration.
        """
        limit = self.spec.replay_steps
        if self.log is None or limit is None or len(self.log) + vector_steps < limit:
            return
        self.cuts += 1
        self.learner_env.truncate_after(vector_steps, self._seeds(_START + self.cuts, self.base.num_envs))

    def state(self, *, last: bool) -> dict[str, Any]:
        """What `restore` needs, as parts of the checkpoint's tree; writes the log of actions.

        Args:
            last: The run ends here, and the log is needed no more.
        """
        monitor = {"returns": self.monitor.episode_returns.copy(), "lengths": self.monitor.episode_lengths.copy()}
        state: dict[str, Any] = {"monitor": monitor}
        if self.log is None:
            state["environments"] = self.base.state_dict()
        else:
            state["actions"] = self.log.save(self.folder.actions, last=last)
            state["versions"] = environment_versions(self.spec, self.registry)
        return state if self.spec.training_version == SAVES_STATE else state | {"cuts": self.cuts}

    def remove_unreferenced(self) -> None:
        """Remove files of actions that the last `state` did not name; for when its checkpoint is complete."""
        if self.log is not None:
            self.log.remove_unreferenced(self.folder.actions)

    def begin_restoring(self, state: Mapping[str, Any]) -> None:
        """Seed the reset from which `restore` goes on."""
        self.cuts = state.get("cuts", 0)
        if self.log is not None:
            self._reseed()

    def restore(self, step: int, state: Mapping[str, Any], report: ReportReplay) -> None:
        """Bring the environments, which have just been reset, to where `state` was taken.

        Args:
            step: Steps that the run had taken, over all environments.
            state: The checkpoint's tree.
            report: Called now and then while actions are done again.

        Raises:
            RunError: They do not come there any more, or the log of actions is damaged.
        """
        if self.log is None:
            self.base.load_state_dict(state["environments"])
        else:
            self.log.load(state["actions"])
            if step < self.spec.steps:  # nothing follows a run's end
                self._replay(self.log, step, state, report)
        self.monitor.episode_returns = state["monitor"]["returns"]
        self.monitor.episode_lengths = state["monitor"]["lengths"]

    def _replay(self, log: ActionLog, step: int, state: Mapping[str, Any], report: ReportReplay) -> None:
        observations: Any = None
        total, started = len(log), time.monotonic()
        for done, (actions, expected) in enumerate(log.read(self.folder.actions), 1):
            self.base.step_async(actions)
            answer: StepReturn = self.base.step_wait()
            observations, rewards, dones, _ = answer
            if checksum(rewards, dones) != expected:
                first = step - (total - done) * self.base.num_envs
                raise self._went_another_way(f"their rewards or ends differ from step {first:,} on", state)
            report(done / total, (time.monotonic() - started) / done * (total - done))
        if total and not np.array_equal(observations, state["observations"]):
            raise self._went_another_way(f"at step {step:,} they show something else than when it was saved", state)

    def _went_another_way(self, what: str, state: Mapping[str, Any]) -> RunError:
        now = environment_versions(self.spec, self.registry)
        then: Mapping[str, str] = state["versions"]
        changed = [f"{name} was {then[name]} and is {now.get(name, 'gone')}" for name in then if now.get(name) != then[name]]
        cause = ", ".join(changed) if changed else "they depend on more than their seeds and actions, or have been changed"
        return RunError(
            f"{self.folder.path}: the environments do not come back to where the run was saved: {what}"
            f" ({cause}); put back what has changed, or run again with --fresh to start over"
        )

    def _reseed(self) -> None:
        self.base.reseed(self._seeds(_START + self.cuts, self.base.num_envs))

    def _seeds(self, index: int, n: int) -> list[int]:
        return derive_seeds(self.spec.seed, Purpose.TRAINING, index, n)
