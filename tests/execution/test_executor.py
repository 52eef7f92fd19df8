"""What an executor must be, and what the executor ``local`` checks before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.specs import make_spec
from support.unrehearsed import rehearse_nothing

from harness.errors import PluginError, ResultsError, UserError
from harness.execution.capacity import default_workers
from harness.execution.executor import ExecutionOptions, RunExecutor, load_executor, load_tuning_executor
from harness.execution.local import LocalExecutor
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin
from harness.registry.hooks import Executor


class Bare(RunExecutor):
    """Trains nothing."""

    def execute(self, specs, options, on_event):
        return []


REGISTRY = Registry(
    [
        builtin_plugin(),
        Plugin(
            PluginInfo("mine", "my-package", "1", "mine"),
            (Executor(name="bare", executor=f"{__name__}:Bare"), Executor(name="wrong", executor="json:loads")),
        ),
    ]
)


def test_an_executor_is_found_by_name():
    assert isinstance(load_executor("local", REGISTRY), LocalExecutor)
    assert isinstance(load_executor("bare", REGISTRY), Bare)


def test_what_is_none_is_refused_with_its_plugin():
    with pytest.raises(PluginError, match=r"'json:loads' of plugin .*mine.* must be a subclass of .*RunExecutor"):
        load_executor("wrong", REGISTRY)


def test_an_executor_without_sessions_cannot_tune():
    assert isinstance(load_tuning_executor("local", REGISTRY), LocalExecutor)
    message = "executor 'bare' cannot tune: it does not start and stop runs one by one; use --executor local"
    with pytest.raises(UserError, match=message):
        load_tuning_executor("bare", REGISTRY)


def test_by_default_nothing_is_checked(tmp_path):
    options = ExecutionOptions(tmp_path, device="moon")
    assert Bare().preflight([make_spec()], options) is options


def test_local_chooses_its_workers_and_leaves_nothing(tmp_path, monkeypatch):
    rehearse_nothing(monkeypatch)
    specs = [make_spec(seed=seed) for seed in range(3)]
    options = LocalExecutor().preflight(specs, ExecutionOptions(tmp_path / "results"))
    assert options.workers == default_workers(specs)
    assert LocalExecutor().preflight(specs, ExecutionOptions(tmp_path, workers=7)).workers == 7
    assert not (tmp_path / "results").exists()


def test_local_refuses_what_this_machine_has_not(tmp_path: Path):
    with pytest.raises(UserError, match="cuda"):
        LocalExecutor().preflight([make_spec()], ExecutionOptions(tmp_path, device="cuda:99"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="file/results: cannot be written"):
        LocalExecutor().preflight([make_spec()], ExecutionOptions(tmp_path / "file" / "results"))
