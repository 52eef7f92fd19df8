"""Who is told that this machine only imitates bf16."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.specs import make_spec

from harness.execution import instructions
from harness.execution.instructions import bf16_notice, cpu_features, has_gpu
from harness.spec import Precision

PLAIN = make_spec(reward="rnd")
OURS = PLAIN.model_copy(update={"precision": Precision(bonus="bf16"), "method": "rnd_bf16"})


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(features: str, *, gpus: int = 0, key: str = "flags") -> None:
        info, folder = tmp_path / "cpuinfo", tmp_path / "gpus"
        info.write_text(f"processor\t: 0\nmodel name\t: Some CPU\n{key}\t\t: fpu {features}\n")
        folder.mkdir()
        for gpu in range(gpus):
            (folder / f"{gpu}").mkdir()
        monkeypatch.setattr(instructions, "CPU_INFO", info)
        monkeypatch.setattr(instructions, "GPUS", folder)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return make


def test_a_cpu_that_imitates_it_is_named(machine) -> None:
    machine("avx2 avx512f")
    notice = bf16_notice([PLAIN, OURS])
    assert "rnd_bf16" in notice and "neither AMX nor AVX512_BF16" in notice and "(rnd," not in notice
    assert bf16_notice([PLAIN]) == ""
    assert bf16_notice([OURS], "cpu") == notice
    assert bf16_notice([OURS], "cuda:1") == ""


@pytest.mark.parametrize(("features", "key"), [("amx_bf16 amx_tile", "flags"), ("avx512_bf16", "flags"), ("bf16", "Features")])
def test_a_cpu_that_has_it_is_not(machine, features: str, key: str) -> None:
    machine(features, key=key)
    assert bf16_notice([OURS]) == ""


def test_a_gpu_that_auto_finds_is_not(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine("avx2", gpus=1)
    assert bf16_notice([OURS]) == ""
    assert bf16_notice([OURS], "cpu") != ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert bf16_notice([OURS]) != ""


def test_nothing_is_said_where_nothing_is_known(tmp_path: Path) -> None:
    assert cpu_features(tmp_path / "missing") is None
    assert not has_gpu(tmp_path / "missing")


@pytest.mark.skipif(cpu_features(instructions.CPU_INFO) is None, reason="needs /proc/cpuinfo")
def test_torch_sees_the_same_instructions() -> None:
    assert ("avx512_bf16" in (cpu_features(instructions.CPU_INFO) or ())) == torch.cpu._is_avx512_bf16_supported()
