"""From a results folder to a bundle: the same bytes for the same results."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from harness.bundles import manifest as form
from harness.bundles.manifest import Manifest, Member
from harness.errors import ResultsError
from harness.runs.files import TEMPORARY, draft_beside
from harness.runs.folder import FOLDERS_ABOVE_RUN, RECORD_FILE, STUDIES, RunFolder
from harness.runs.guarded import MIB, is_folder, look, read_bytes, reason_of
from harness.runs.plans import PLANS
from harness.runs.recorded import SUITES
from harness.runs.walk import find_files
from harness.version import DISTRIBUTION

_DATE = (1980, 1, 1, 0, 0, 0)
_LEVEL = 6


@dataclass(frozen=True)
class Packed:
    """A bundle that was written.

    Attributes:
        file: Path of the bundle.
        digest: What names its content; see `harness.bundles.manifest.digest_of`.
        runs: Number of runs in it.
        studies: Number of studies in it.
        members: Number of files in it.
        size: Size of the bundle in bytes.
    """

    file: Path
    digest: str
    runs: int
    studies: int
    members: int
    size: int


def pack(results: Path, out: Path) -> Packed:
    """Write the data of a results folder into one bundle.

    Args:
        results: The results directory, or a part of it.
        out: The bundle to be written or replaced.

    Raises:
        ResultsError: There is no run, one is being trained, something cannot be read, or it is too much for a bundle.
    """
    files = dict(_files(results))
    runs = [path for name, path in files.items() if PurePosixPath(name).name == RECORD_FILE]
    if not runs:
        raise ResultsError(f"{results}: holds no run, so there is nothing to pack")
    for path in runs:
        folder = RunFolder(path.parent)
        if folder.state(folder.read()) == "running":
            raise ResultsError(f"{folder.path}: is being trained; pack it once it is finished or stopped")
    content = {name: _content(path) for name, path in files.items()}
    total = sum(map(len, content.values()))
    if len(content) > form.MAX_MEMBERS or total > form.MAX_TOTAL_BYTES:
        raise ResultsError(
            f"{results}: {len(content):,} files of {total // MIB:,} MiB are more than a bundle holds, {form.MAX_MEMBERS:,} of"
            f" {form.MAX_TOTAL_BYTES // MIB:,} MiB: pack its suites one by one"
        )
    manifest = Manifest(
        harness=metadata.version(DISTRIBUTION),
        name=_plain(results.resolve().name),
        members={name: Member.of(data) for name, data in content.items()},
    ).to_bytes()
    size = _write(out, {form.MANIFEST: manifest, **content})
    studies = sum(PurePosixPath(name).name == "study.json" for name in files)
    return Packed(out, form.digest_of(manifest), len(runs), studies, len(files), size)


def _files(results: Path) -> Iterator[tuple[str, Path]]:
    """Everything that is packed, sorted by its name in the bundle.

    Raises:
        ResultsError: Something cannot be looked at, or has a name that no bundle may hold.
    """
    found, problems = find_files(results, form.RUN_FILES | form.STUDY_FILES)
    records = {path.parent for path in found if path.name == RECORD_FILE}
    kept = {path for path in found if path.name in form.STUDY_FILES and path.parent.parent.name == STUDIES}
    kept |= {path for path in found if path.parent in records and path.name in form.RUN_FILES}
    above = {results, *(folder for run in records for folder in run.parents[: FOLDERS_ABOVE_RUN + 2])}
    for folder in sorted(one for one in above if one.is_relative_to(results)):
        for name in (PLANS, SUITES, form.REPORT):
            kept |= {path for path in _listed(folder / name) if form.is_data(PurePosixPath(path))}
    if problems:
        raise ResultsError("\n".join(problems))
    named = sorted((path.relative_to(results).as_posix(), path) for path in kept)
    for name, path in named:
        if problem := form.problem_with_name(name):
            raise ResultsError(f"{path}: cannot be packed: {problem}")
        yield name, path


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(TEMPORARY)] if is_folder(folder) else []
    except OSError as error:
        raise ResultsError(f"{folder}: may not be looked into ({reason_of(error)})") from None


def _content(path: Path) -> bytes:
    data = read_bytes(path, form.MAX_MEMBER_BYTES)
    if data is None:
        raise ResultsError(f"{path}: went away while it was packed")
    return data


def _plain(name: str) -> str:
    return name if form.is_plain_name(name) else "results"


def _write(out: Path, content: Mapping[str, bytes]) -> int:
    """Write a bundle aside and put it in its place; returns its size in bytes."""
    if look(out) is not None and is_folder(out):
        raise ResultsError(f"{out}: is a folder; name a file in it")
    draft = draft_beside(out)
    try:
        with zipfile.ZipFile(draft, "w") as bundle:
            for name, data in content.items():
                _add(bundle, name, data)
        size = draft.stat().st_size
        if size > form.MAX_BUNDLE_BYTES:
            limit = form.MAX_BUNDLE_BYTES // MIB
            raise ResultsError(
                f"{out}: would be larger than {limit} MiB, which is the most that is read: pack its suites one by one"
            )
        draft.replace(out)
    except OSError as error:
        raise ResultsError(f"{out}: cannot be written ({reason_of(error)})") from None
    finally:
        draft.unlink(missing_ok=True)
    return size


def _add(bundle: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system = 3  # as on Linux, wherever it is packed
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    small = len(zlib.compress(data, _LEVEL)) * form.MAX_RATIO // 2 < len(data)  # smaller than what is read would believe
    info.compress_type = zipfile.ZIP_STORED if small else zipfile.ZIP_DEFLATED
    bundle.writestr(info, data, compresslevel=_LEVEL)
