"""bf16: networks compute in it and hand out float32; whatever is learned and everything around them is float32."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kill_and_resume
import numpy as np
import pytest
import torch
from support.off_policy import CASES as OFF_POLICY
from support.off_policy import registry, use_registry
from support.specs import make_spec
from torch import Tensor, nn

from harness.algorithms.precision import use_precision
from harness.registry import installed
from harness.runs.folder import RunFolder
from harness.spec import Precision, RunSpec
from harness.training import checkpoints
from harness.training.assembly import Assembly, assemble
from harness.training.run import train

BF16 = Precision(policy="bf16", bonus="bf16")
SMALL = {"feature_dim": 16, "hidden": [16], "warm_up_steps": 2}

ON_POLICY = {
    "none": make_spec(steps=480),
    "rnd_two_critics": make_spec(steps=480, reward="rnd", config=SMALL),
    "rnd_sum": make_spec(steps=480, reward="rnd", config=SMALL, combine={"mode": "sum"}),
}


def in_bf16(spec: RunSpec, **changes: Any) -> RunSpec:
    return spec.model_copy(update={"precision": BF16, "method": f"{spec.method}_bf16"} | changes)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 4, 3, padding=1)
        self.seen: list[torch.dtype] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.dtype)
        return images + self.layer(images)


class Counting(nn.Module):
    """Has statistics of its own, which must be learned from float32."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))
        self.seen: list[torch.dtype] = []

    def forward(self, values: Tensor) -> Tensor:
        self.seen.append(values.dtype)
        return values - self.mean


def test_a_network_computes_in_bf16_and_hands_out_float32() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), Residual(), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 8), nn.LayerNorm(8))
    ours = use_precision(copy.deepcopy(plain), "bf16")
    images = torch.rand(5, 3, 6, 6)
    outputs, exact = ours(images), plain(images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = plain(images)
    residual = ours[1]
    assert isinstance(residual, Residual) and residual.seen == [torch.bfloat16], "the network is left between its layers"
    assert outputs.dtype == torch.float32 and torch.equal(outputs, expected.float())
    assert not torch.equal(outputs, exact)
    torch.testing.assert_close(outputs, exact, atol=0.05, rtol=0.05)
    outputs.square().mean().backward()
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}
    assert {parameter.grad.dtype for parameter in ours.parameters() if parameter.grad is not None} == {torch.float32}
    assert list(ours.state_dict()) == list(plain.state_dict())


def test_statistics_within_a_network_are_given_float32() -> None:
    counting = Counting()
    network = use_precision(nn.Sequential(nn.Linear(4, 8), counting, nn.Linear(8, 2)), "bf16")
    assert network(torch.rand(3, 4)).dtype == torch.float32
    assert counting.seen == [torch.float32]


def test_float32_leaves_everything_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    kinds = [type(part) for part in network.modules()]
    assert [type(part) for part in use_precision(network, "float32").modules()] == kinds


def test_recurrent_layers_stay_in_float32() -> None:
    layer = nn.LSTM(3, 4)
    inputs = torch.rand(5, 2, 3)
    expected, _ = layer(inputs)
    outputs, _ = use_precision(nn.ModuleList([layer]), "bf16")[0](inputs)
    assert torch.equal(outputs, expected)


def test_a_copy_of_a_network_computes_as_it_does() -> None:
    network = use_precision(nn.Sequential(nn.Linear(64, 8), nn.Tanh()), "bf16")
    other, inputs = copy.deepcopy(network), torch.rand(3, 64)
    assert torch.equal(other(inputs), network(inputs))
    with torch.no_grad():
        other[0].weight.zero_()
    assert not torch.equal(other(inputs), network(inputs))


@pytest.fixture
def assemblies() -> Iterator[Any]:
    made: list[Assembly] = []

    def build(spec: RunSpec) -> Assembly:
        known = installed() if spec.environment.family == "deep_sea" else registry()
        made.append(assemble(spec, torch.device("cpu"), known))
        return made[-1]

    yield build
    for assembly in made:
        assembly.close()


@pytest.mark.parametrize("spec", [ON_POLICY["rnd_two_critics"], OFF_POLICY["rnd"]], ids=["ppo", "sac"])
@pytest.mark.parametrize("part", ["policy", "bonus"])
def test_each_part_has_its_own_format(assemblies: Any, spec: RunSpec, part: str) -> None:
    assembly = assemblies(spec.model_copy(update={"precision": Precision.model_validate({part: "bf16"})}))
    policy, reward = assembly.learner.model.policy, assembly.reward
    found = {"policy": policy, "bonus": reward}
    for name, module in found.items():
        exact = {is_float32(one) for one in module.modules() if isinstance(one, nn.Linear)}
        assert exact == {name != part}, name


def is_float32(layer: nn.Linear) -> bool:
    inputs = torch.rand(64, layer.in_features, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return torch.equal(layer(inputs), nn.functional.linear(inputs, layer.weight, layer.bias))


def float32_only(tree: Any) -> None:
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, Tensor):
            assert value.dtype not in (torch.bfloat16, torch.float16), name
        elif isinstance(value, dict | list | tuple):
            float32_only(value)


def test_probabilities_values_and_advantages_are_float32(assemblies: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assembly = assemblies(in_bf16(ON_POLICY["rnd_two_critics"]))
    model = assembly.learner.model
    seen: list[Tensor] = []
    evaluate = model.policy.evaluate_actions

    def watched(*arguments: Any) -> Any:
        outputs = evaluate(*arguments)
        seen.extend(outputs)
        return outputs

    monkeypatch.setattr(model.policy, "evaluate_actions", watched)
    assembly.learner.begin(480)
    metrics = assembly.learner.iterate()
    assert seen and {output.dtype for output in seen} == {torch.float32}
    buffer = model.rollout_buffer
    assert {array.dtype for array in (buffer.values, buffer.log_probs, buffer.advantages, buffer.returns)} == {
        np.dtype(np.float32)
    }
    assert all(np.isfinite(value) for value in metrics.values())
    float32_only(assembly.learner.state_dict())
    float32_only(dict(assembly.reward.state_dict()))


def interrupted_twice(spec: RunSpec, results: Path) -> None:
    for _ in range(2):
        calls = iter(range(100))
        status = train(spec, results, device="cpu", stop=lambda calls=calls: next(calls) >= 2)
        assert status.state == "interrupted"
    assert train(spec, results, device="cpu").state == "finished"


LONG = [pytest.param(case, marks=pytest.mark.slow) for case in ("none", "rnd_sum", "sac_none", "sac_rnd")]


@pytest.mark.parametrize("case", ["rnd_two_critics", "sac_encoding", *LONG])
def test_a_resumed_run_is_an_unbroken_one(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = in_bf16(OFF_POLICY[case.removeprefix("sac_")] if case.startswith("sac_") else ON_POLICY[case])
    if case.startswith("sac_"):
        use_registry(monkeypatch)
    train(spec, tmp_path / "unbroken", device="cpu")
    interrupted_twice(spec, tmp_path / "resumed")
    folders = [RunFolder.of(spec, tmp_path / name) for name in ("unbroken", "resumed")]
    assert kill_and_resume.differences(*folders) == []
    loaded = checkpoints.load(folders[0].checkpoint)
    assert loaded is not None
    float32_only(loaded[1])


def test_numbers_are_others_than_those_of_float32(tmp_path: Path) -> None:
    spec = ON_POLICY["none"]
    for one in (spec, in_bf16(spec)):
        train(one, tmp_path, device="cpu")
    plain, ours = (RunFolder.of(one, tmp_path) for one in (spec, in_bf16(spec)))
    assert plain.path != ours.path
    assert kill_and_resume.differences(plain, ours)


@pytest.mark.slow
def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    equal, line = kill_and_resume.check(in_bf16(ON_POLICY["rnd_two_critics"], steps=4800), tmp_path, 3, random.Random(1))
    assert equal, line
