"""A bundle that anybody may have made: nothing leaves its folder, nothing grows without bound, nothing changed is believed."""

from __future__ import annotations

import json
import random
import stat
import struct
import zipfile

import pytest
from support.bundles import files_below, members, with_manifest, write_zip

from harness.bundles import manifest as form
from harness.bundles.unpacking import unpack
from harness.runs.guarded import Unreadable

RUN = "n4/ppo-1/seed-0/run.json"


def tried(file, tmp_path):
    """What unpacking says, and that nothing came to lie outside of the place."""
    place = tmp_path / "deep" / "place"
    place.mkdir(parents=True)
    before = [*files_below(tmp_path)]
    with pytest.raises(Unreadable) as caught:
        unpack(file, place)
    assert [name for name in files_below(tmp_path) if not name.startswith("deep/place/")] == before
    (message,) = str(caught.value).splitlines()
    assert str(file) in message
    assert str(place) not in message
    return message


def test_what_was_packed_comes_out_again(bundle, trained, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    found = unpack(bundle, place)
    assert found.folder == place / "small"
    packed = members(bundle)
    assert [*files_below(found.folder)] == sorted(set(packed) - {"bundle.json"})
    for name in files_below(found.folder):
        assert (found.folder / name).read_bytes() == (trained / name).read_bytes() == packed[name]
        assert not (found.folder / name).stat().st_mode & 0o111


NAMES = {
    "above": "../run.json",
    "far above": "n4/../../../run.json",
    "absolute": "/tmp/harness-bundle-evil/run.json",
    "backslash": "n4\\..\\..\\run.json",
    "drive": "C:/run.json",
    "empty part": "n4//run.json",
    "control character": "n4\x1b[2J/run.json",
    "program": "n4/ppo-1/seed-0/run.sh",
    "page": "report/index.html",
    "weights": "n4/ppo-1/seed-0/checkpoint/step-1/model.safetensors",
    "too deep": "/".join(["a"] * 40) + "/run.json",
    "too long": "a" * 300 + "/run.json",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_that_lead_elsewhere_or_are_no_data_are_refused(name, tmp_path):
    assert "is no " in tried(write_zip(tmp_path / "evil.zip", with_manifest({name: b"{}"})), tmp_path)


@pytest.mark.parametrize("name", ["..", "a/b", "", "bundle.json", "/tmp"])
def test_the_folder_s_name_is_no_path(name, tmp_path):
    content = with_manifest({RUN: b"{}"})
    manifest = json.loads(content["bundle.json"]) | {"name": name}
    content["bundle.json"] = json.dumps(manifest).encode()
    assert "bundle.json" in tried(write_zip(tmp_path / "evil.zip", content), tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFDIR, stat.S_IFSOCK])
def test_links_devices_and_folders_are_refused(kind, tmp_path):
    info = zipfile.ZipInfo(RUN)
    info.external_attr = (kind | 0o777) << 16
    file = write_zip(tmp_path / "evil.zip", with_manifest({RUN: b"/etc/passwd"}), {RUN: info})
    assert "is a folder, a link or a device" in tried(file, tmp_path)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path):
    zeros = write_zip(tmp_path / "ratio.zip", with_manifest({RUN: b"\0" * 5_000_000}))
    assert "200 times as large" in tried(zeros, tmp_path)


def test_too_many_too_large_and_overlapping_members_are_refused(tmp_path, monkeypatch):
    many = {f"n4/ppo-1/seed-{seed}/run.json": b"{}" for seed in range(30)}
    file = write_zip(tmp_path / "many.zip", with_manifest(many))
    monkeypatch.setattr(form, "MAX_MEMBERS", 20)
    assert "more than 20 members" in tried(file, tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(form, "MAX_TOTAL_BYTES", 50)
    (tmp_path / "deep" / "place").rename(tmp_path / "deep" / "first")
    assert "would become larger" in tried(file, tmp_path)


def test_a_size_that_the_directory_understates_is_not_read_beyond(tmp_path):
    file = write_zip(tmp_path / "a.zip", with_manifest({RUN: b"{}" + b" " * 3000}))
    data = bytearray(file.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, at + 24, 2)
    file.write_bytes(data)
    assert "changed" in tried(file, tmp_path)


def test_duplicates_and_what_the_manifest_does_not_name_are_refused(tmp_path):
    content = with_manifest({RUN: b"{}"})
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "twice.zip", "w") as twice:
        for name, data in [*content.items(), (RUN, b"{ }")]:
            twice.writestr(name, data)
    assert "holds a file twice" in tried(tmp_path / "twice.zip", tmp_path)


def test_fault_cut_bundles_are_found_out(bundle, tmp_path):
    content = members(bundle)
    left_out = {name: data for name, data in content.items() if not name.endswith("seed-2/evaluations.csv")}
    assert "was cut: " in tried(write_zip(tmp_path / "cut.zip", left_out), tmp_path)
    data = bundle.read_bytes()
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.zip").write_bytes(data[:length])
        (tmp_path / "deep" / "place").rename(tmp_path / "deep" / f"place-{length}")
        assert "bundle" in tried(tmp_path / "cut.zip", tmp_path)


def test_fault_changed_bundles_are_found_out_by_their_checksums(bundle, tmp_path):
    content = members(bundle)
    name = next(name for name in content if name.endswith("seed-2/evaluations.csv"))
    changed = write_zip(tmp_path / "changed.zip", {**content, name: content[name].replace(b"0", b"1", 1)})
    assert f"was changed: '{name}' is not what bundle.json says" in tried(changed, tmp_path)


def test_any_flipped_bit_is_found_out_or_changes_nothing(bundle, tmp_path):
    data, draw = bundle.read_bytes(), random.Random(0)
    for case in range(60):
        broken = bytearray(data)
        broken[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (tmp_path / "flipped.zip").write_bytes(broken)
        place = tmp_path / str(case)
        place.mkdir()
        try:
            found = unpack(tmp_path / "flipped.zip", place)
        except Unreadable:
            continue
        for name, content in members(bundle).items():  # such as a time in the directory, which nobody reads
            where = place / name if name == "bundle.json" else found.folder / name
            assert where.read_bytes() == content


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"not a zip" * 100, b"PK\x03\x04" * 50])
def test_what_is_no_bundle_is_said_to_be_none(data, tmp_path):
    (tmp_path / "x.zip").write_bytes(data)
    assert "is no bundle" in tried(tmp_path / "x.zip", tmp_path)
