"""What is in a bundle, and that the same results give the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest
from support.bundles import edit_record, files_below, members, run_of

from harness.bundles.manifest import digest_of
from harness.bundles.packing import pack
from harness.errors import ResultsError


def test_a_bundle_holds_records_tables_plans_suites_and_the_report_s_text_and_nothing_that_runs(bundle):
    names = list(members(bundle))
    assert names[0] == "bundle.json"
    assert names[1:] == sorted(names[1:])
    for seed in range(4):
        run = next(name for name in names if name.endswith(f"seed-{seed}/run.json")).removesuffix("run.json")
        assert {f"{run}evaluations.csv", f"{run}progress.csv"} <= set(names)
    assert sum(name.startswith("plans/") for name in names) == 1
    assert sum(name.startswith("suites/") for name in names) == 1
    assert {"report/report.md", "report/scores.csv"} <= set(names)
    assert {name.rpartition(".")[2] for name in names} <= {"json", "csv", "yaml", "md"}
    assert not [name for name in names if "checkpoint" in name or "events" in name]


def test_the_manifest_has_every_checksum_and_its_own_is_the_digest(trained, tmp_path):
    packed = pack(trained, tmp_path / "a.zip")
    content = members(packed.file)
    said = json.loads(content.pop("bundle.json"))["members"]
    assert {name: (one["sha256"], one["size"]) for name, one in said.items()} == {
        name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in content.items()
    }
    assert packed.digest == digest_of(members(packed.file)["bundle.json"])
    assert (packed.runs, packed.studies, packed.members) == (4, 0, len(content))


def test_the_same_results_give_the_same_bytes_wherever_and_whenever(trained, tmp_path):
    copy = tmp_path / "elsewhere" / "small"
    shutil.copytree(trained, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    first, second = pack(trained, tmp_path / "a.zip"), pack(copy, tmp_path / "b.zip")
    assert first.file.read_bytes() == second.file.read_bytes()
    run = next(copy.glob("n4/*/seed-0"))
    (run / "evaluations.csv").write_bytes((run / "evaluations.csv").read_bytes() + b"1,2,3,4\n")
    assert pack(copy, tmp_path / "b.zip").digest != first.digest


def test_what_compresses_too_well_to_be_believed_is_packed_as_it_is(trained, tmp_path, monkeypatch):
    copy = tmp_path / "small"
    shutil.copytree(trained, copy)
    (copy / "report" / "zeros.csv").write_bytes(b"0\n" * 1_000_000)
    from harness.bundles.unpacking import unpack

    bundle = pack(copy, tmp_path / "a.zip").file
    (tmp_path / "place").mkdir()
    assert (unpack(bundle, tmp_path / "place").folder / "report" / "zeros.csv").stat().st_size == 2_000_000


def test_the_study_of_november_is_packed_with_its_runs(tmp_path):
    from pathlib import Path

    results = Path(__file__).parents[1] / "fixtures" / "november" / "finished" / "november"
    packed = pack(results, tmp_path / "november.zip")
    assert packed.studies == 1
    assert packed.runs == len([name for name in files_below(results) if name.endswith("run.json")])


def test_what_cannot_be_packed_is_refused_and_leaves_no_file(trained, tmp_path):
    out = tmp_path / "out.zip"
    copy = tmp_path / "small"
    shutil.copytree(trained, copy)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match="holds no run"):
        pack(tmp_path / "empty", out)
    with pytest.raises(ResultsError, match="no such results directory"):
        pack(tmp_path / "none", out)
    with pytest.raises(ResultsError, match="is a folder; name a file in it"):
        pack(copy, tmp_path / "empty")
    with pytest.raises(ResultsError, match="cannot be written"):
        pack(copy, tmp_path / "none" / "out.zip")
    (run_of(copy, 1) / "evaluations.csv").unlink()
    os.mkfifo(run_of(copy, 1) / "evaluations.csv")
    with pytest.raises(ResultsError, match="is a named pipe"):
        pack(copy, out)
    (run_of(copy, 1) / "evaluations.csv").unlink()
    edit_record(run_of(copy, 1), state="nonsense")
    with pytest.raises(ResultsError, match="not a run record"):
        pack(copy, out)
    assert not list(tmp_path.glob("*.zip*"))
    assert not list(tmp_path.glob(".tmp-*"))
