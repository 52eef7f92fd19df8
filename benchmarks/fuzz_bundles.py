"""Corrupt bundles, and see that each is read, or refused in words for people, at once.

    python benchmarks/fuzz_bundles.py --count 5000 --seed 0

Results are made once, and packed. Half of the cases change the file: it is cut, has bits flipped and bytes put in or taken
out, its members get other names, kinds, sizes and ways of packing, or come twice. The other half changes results as
``fuzz_results.py`` does and packs them with every checksum right. Then the bundle is unpacked, and what comes out is checked
against itself, as ``harness verify`` does before it trains. An exception that is none of `harness.errors`, more than five
seconds of the processor, or anything written outside of the bundle's own folder counts as a failure. Prints the figures as one
line of JSON; exits with 1 after a failure.
"""

from __future__ import annotations

import random
import shutil
import struct
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from fuzz_results import corrupt, make_results
from watchdog import Figures, run_driver, watched

from harness.bundles.crosschecks import contradictions, packed_runs
from harness.bundles.manifest import MANIFEST, Manifest, Member
from harness.bundles.packing import pack
from harness.bundles.unpacking import unpack

NAMES = [
    "../run.json",
    "/tmp/run.json",
    "a\\run.json",
    "run.sh",
    "report/x.html",
    "x" * 300,
    "\x1b[2J/run.json",
    "plans/",
    "é/run.json",
]
KINDS = [0o120777, 0o020666, 0o060666, 0o010666, 0o040755, 0o140755, 0o100755, 0]
_ENTRY, _ENTRY_BYTES = b"PK\x01\x02", 46
_MAX_MEMBER = 10**6


def fuzz(cases: range, seed: int, keep: Path, make: Callable[[Path], object] = make_results) -> Figures:
    """Try corrupted bundles.

    Args:
        cases: Numbers of the cases.
        seed: Seed of all of them; a case depends on its number, this, and what training left.
        keep: Folder for bundles that fail.
        make: Leaves the results of a suite below a folder.
    """
    figures = Figures()
    with tempfile.TemporaryDirectory() as temporary:
        original = Path(temporary) / "original"
        original.mkdir()
        make(original)
        good = pack(original / "results", Path(temporary) / "good.zip").file
        for case in cases:
            draw = random.Random(f"{seed}-{case}")
            place = Path(temporary) / f"case-{case}"
            place.mkdir()
            bundle = place / "bundle.zip"
            if case % 2:
                bundle.write_bytes(changed(good, draw))
            else:
                forge(original / "results", place, bundle, draw)
            before = _outside(place)
            if problem := watched(lambda place=place, bundle=bundle: read(bundle, place / "unpacked"), figures):
                figures.fail(f"case {case} of seed {seed}: {problem}")
                keep.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle, keep / f"bundle-{seed}-{case}.zip")
            if _outside(place) != before:
                figures.fail(f"case {case} of seed {seed}: written outside of the bundle's folder")
            shutil.rmtree(place)
    return figures


def read(bundle: Path, place: Path) -> list[str]:
    """Read a bundle as ``verify`` does before it trains; what contradicts itself in it."""
    place.mkdir()
    found = unpack(bundle, place)
    runs, unusable = packed_runs(found.folder)
    return [*unusable, *contradictions(found.folder, runs)]


def changed(good: Path, draw: random.Random) -> bytes:
    """The bytes of a bundle with one to three things changed."""
    data = bytearray(good.read_bytes())
    for _ in range(draw.randint(1, 3)):
        draw.choice([_cut, _flip, _insert, _change_entry, _change_entry, _add_member, _repack])(data, draw)
    return bytes(data)


def _cut(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    del data[at : at + draw.choice([1, 100, len(data)])]


def _flip(data: bytearray, draw: random.Random) -> None:
    for _ in range(draw.choice([1, 1, 20]) if data else 0):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _insert(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    data[at:at] = draw.choice([b"\0", b"PK\x05\x06" + b"\0" * 18, b"PK\x06\x07" + b"\0" * 16, b"\xff" * 1000])


def _change_entry(data: bytearray, draw: random.Random) -> None:
    """A field of the directory's entry of a member: flags, packing, sizes, kind, place."""
    places = [at for at in range(len(data) - _ENTRY_BYTES) if data.startswith(_ENTRY, at)] if len(data) < _MAX_MEMBER else []
    if not places:
        return
    at = draw.choice(places)
    match draw.randrange(5):
        case 0:
            struct.pack_into("<H", data, at + 8, draw.choice([0x1, 0x8, 0x800, 0xFFFF]))
        case 1:
            struct.pack_into("<H", data, at + 10, draw.choice([1, 8, 9, 12, 14, 99]))
        case 2:
            struct.pack_into("<L", data, at + draw.choice([20, 24]), draw.choice([0, 1, 2**31, 2**32 - 1]))
        case 3:
            struct.pack_into("<L", data, at + 38, (draw.choice(KINDS) << 16) & 0xFFFFFFFF)
        case _:
            struct.pack_into("<L", data, at + 42, draw.randrange(2**32))


def _add_member(data: bytearray, draw: random.Random) -> None:
    _rewrite(data, draw, draw.choice(NAMES))


def _repack(data: bytearray, draw: random.Random) -> None:
    _rewrite(data, draw, None)


def _rewrite(data: bytearray, draw: random.Random, name: str | None) -> None:
    """The same members in another order, with one more or one that comes twice, and packed in another way."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(place) / "x.zip"
        file.write_bytes(data)
        try:
            with zipfile.ZipFile(file) as bundle:
                members = [(one, bundle.read(one)) for one in bundle.namelist()]
        except Exception:  # noqa: BLE001  it was changed before, and the library raises whatever it likes
            return
        members.insert(draw.randrange(len(members) + 1), (name, b"\0" * 10**6) if name else draw.choice(members))
        method = draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        with zipfile.ZipFile(file, "w", method) as bundle:
            for one, content in members:
                bundle.writestr(one, content)
        data[:] = file.read_bytes()


def forge(results: Path, place: Path, bundle: Path, draw: random.Random) -> None:
    """Pack changed results so that every size and checksum is right."""
    copy = place / "unpacked-before" / "results"
    shutil.copytree(results, copy)
    corrupt(copy, draw)
    for path in copy.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    content: Mapping[str, bytes] = {
        path.relative_to(copy).as_posix(): path.read_bytes()
        for path in sorted(copy.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size < _MAX_MEMBER and path.stat().st_mode & 0o400
        if path.suffix in {".json", ".csv", ".yaml", ".md"} and "checkpoint" not in path.parts
    }
    shutil.rmtree(copy.parent)
    manifest = Manifest(harness="1", name="results", members={name: Member.of(data) for name, data in content.items()})
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in {MANIFEST: manifest.to_bytes(), **content}.items():
            file.writestr(name, data)


def _outside(place: Path) -> set[Path]:
    """What lies beside the folder into which the bundle is unpacked."""
    return {path for path in place.parent.iterdir() if path.name.startswith("case-")} | {
        path for path in place.iterdir() if path.name != "unpacked"
    }


if __name__ == "__main__":
    sys.exit(run_driver(fuzz, __doc__, 5_000, "bundles"))
