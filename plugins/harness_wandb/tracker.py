"""Runs in Weights & Biases; this module is imported in the tracker's own process."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.tracking.base import Ending, RunTracker, TrackedRun
from harness_wandb.config import WandbConfig

_STEP = "step"
_NAME_BYTES = 8


class WandbTracker(RunTracker):
    """One run in Weights & Biases for each run of a suite, over all its attempts."""

    config: WandbConfig

    def begin(self, run: TrackedRun) -> str:
        """Make the run, or go on with it; what is logged is drawn against the harness's own steps."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            import wandb
        except ImportError as error:
            raise ImportError(f"{error}; pip install 'exploration-harness[wandb]'") from error
        name = run.id or secrets.token_hex(_NAME_BYTES)
        self._wandb = wandb
        self._run = wandb.init(
            project=self.config.project or os.environ.get("WANDB_PROJECT") or run.suite,
            entity=self.config.entity,
            id=name,
            resume="allow",
            name=run.name,
            group=run.suite,
            job_type=run.method or run.kind,
            tags=list(self.config.tags) or None,
            dir=os.environ.get("WANDB_DIR") or run.folder,
            config=_config(run),
            settings=_settings(wandb, self.config.mode),
        )
        self._run.define_metric(_STEP, hidden=True)
        self._run.define_metric("*", step_metric=_STEP)
        return name

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log a row."""
        self._run.log({**metrics, _STEP: step})

    def add_report(self, folder: Path) -> None:
        """Log the report as the next version of an artifact."""
        artifact = self._wandb.Artifact("report", type="report")
        artifact.add_dir(str(folder))
        self._run.log_artifact(artifact)

    def end(self, ending: Ending) -> None:
        """Send what is left."""
        self._run.summary["ending"] = ending
        self._run.finish(exit_code=int(ending == "failed"))


def _config(run: TrackedRun) -> dict[str, Any]:
    facts = {"task": run.task, "method": run.method, "seed": run.seed, "digest": run.digest}
    facts |= {"method_digest": run.method_digest, "spec": dict(run.config), "provenance": dict(run.provenance)}
    return facts if run.kind == "run" else {}


def _settings(wandb: Any, mode: str | None) -> Any:
    """Settings under which nothing is recorded but what the harness gives, and no link to a folder lies in the results."""
    given = {"mode": mode} if mode is not None else {}
    return wandb.Settings(
        console="off",
        silent=True,
        symlink=False,
        save_code=False,
        disable_code=True,
        disable_git=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_disable_stats=True,
        x_save_requirements=False,
        **given,
    )
