"""From a bundle that anybody may have made to a folder: nothing of it is believed before it is checked.

Only regular files with names of data come out, within limits of size, number and ratio, at places below the folder alone, and
only where every size and checksum is the one that the manifest says.
"""

from __future__ import annotations

import io
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.bundles import manifest as form
from harness.bundles.manifest import Manifest, Member
from harness.errors import printable
from harness.runs.guarded import MIB, Unreadable, read_bytes, read_json, reason_of

_END = struct.Struct("<4sHHHHLLH")
_END_MARK, _LARGE_MARK = b"PK\x05\x06", b"PK\x06\x07"
_LARGE_BYTES = 20
_ENCRYPTED = 0x1

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)
"""What the zip library raises about data that are none, an encrypted or an unknown kind of member among them."""


@dataclass(frozen=True)
class Unpacked:
    """A bundle whose files lie in a folder.

    Attributes:
        folder: The folder of results.
        manifest: What the bundle says of itself, and was found true.
        digest: What names its content; see `harness.bundles.manifest.digest_of`.
    """

    folder: Path
    manifest: Manifest
    digest: str


def unpack(file: Path, place: Path) -> Unpacked:
    """Unpack a bundle.

    Args:
        file: Path of the bundle.
        place: An empty folder of the caller's own.

    Raises:
        Unreadable: It is no bundle, was cut or changed, or goes beyond the limits. What lies in ``place`` is not to be used.
    """
    data = read_bytes(file, form.MAX_BUNDLE_BYTES)
    if data is None:
        raise Unreadable(file, "no such file")
    _check_directory(file, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            members = bundle.infolist()
            _check_members(file, members, len(data))
            raw = _read(file, bundle, members[0])
            manifest = _manifest(file, raw, place)
            _check_names(file, members[1:], manifest)
            folder = place / manifest.name
            for member in members[1:]:
                _extract(file, bundle, member, manifest.members[member.filename], folder)
    except _BROKEN as error:
        raise Unreadable(file, f"is no bundle, or was cut or changed ({error})") from None
    except OSError as error:
        raise Unreadable(file, f"cannot be unpacked ({reason_of(error)})") from None
    return Unpacked(folder, manifest, form.digest_of(raw))


def _check_directory(file: Path, data: bytes) -> None:
    """Look at the end of the file, which says how many members there are, before the library reads about all of them."""
    if len(data) < _END.size or not data.startswith(b"PK"):
        raise Unreadable(file, "is no bundle: 'harness pack' makes one of a results folder")
    mark, disk, other, here, members, size, start, comment = _END.unpack(data[-_END.size :])
    if mark != _END_MARK or disk or other or comment or here != members or start + size + _END.size != len(data):
        raise Unreadable(file, "is no bundle, or was cut: its end is missing")
    if data[-_END.size - _LARGE_BYTES :].startswith(_LARGE_MARK) or members > form.MAX_MEMBERS + 1:
        raise Unreadable(file, f"has more than {form.MAX_MEMBERS:,} members")


def _check_members(file: Path, members: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse what no bundle holds, from what the directory says and before anything is unpacked."""
    if not members or members[0].filename != form.MANIFEST:
        raise Unreadable(file, f"is no bundle: it does not begin with {form.MANIFEST}")
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.is_dir() or kind not in (0, stat.S_IFREG):
            raise Unreadable(
                file, f"{printable(member.filename, 100)!r} is a folder, a link or a device: a bundle holds files"
            )
        if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(file, f"{printable(member.filename, 100)!r} is encrypted or packed in a way that no bundle uses")
        if member.file_size > form.MAX_MEMBER_BYTES:
            raise Unreadable(file, f"{printable(member.filename, 100)!r} is larger than {form.MAX_MEMBER_BYTES // MIB} MiB")
        if member.file_size > form.MAX_RATIO * max(member.compress_size, 1):
            raise Unreadable(
                file, f"{printable(member.filename, 100)!r} would become more than {form.MAX_RATIO} times as large as it is"
            )
    if sum(member.compress_size for member in members) > size:
        raise Unreadable(file, "has members that lie over each other")
    if sum(member.file_size for member in members) > form.MAX_TOTAL_BYTES:
        raise Unreadable(file, f"would become larger than {form.MAX_TOTAL_BYTES // MIB:,} MiB")


def _read(file: Path, bundle: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.filename == form.MANIFEST and member.file_size > form.MAX_MANIFEST_BYTES:
        raise Unreadable(file, f"{form.MANIFEST} is larger than {form.MAX_MANIFEST_BYTES // MIB} MiB")
    with bundle.open(member) as stream:  # reads no more than the size that the directory says, and checks its CRC
        return stream.read()


def _manifest(file: Path, raw: bytes, place: Path) -> Manifest:
    written = place / form.MANIFEST
    written.write_bytes(raw)
    try:
        manifest = Manifest.model_validate(read_json(written, form.MAX_MANIFEST_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise Unreadable(file, f"{form.MANIFEST} is no manifest of format {form.FORMAT} ({where}: {first['msg']})") from None
    except Unreadable as error:
        raise Unreadable(file, str(error).replace(str(written), form.MANIFEST)) from None
    if not form.is_plain_name(manifest.name) or manifest.name == form.MANIFEST:
        raise Unreadable(file, f"{form.MANIFEST} names no folder: {printable(manifest.name, 100)!r}")
    return manifest


def _check_names(file: Path, members: Sequence[zipfile.ZipInfo], manifest: Manifest) -> None:
    names = [member.filename for member in members]
    for name in names:
        if problem := form.problem_with_name(name):
            raise Unreadable(file, problem)
    if len({name.casefold() for name in names}) < len(names):
        raise Unreadable(file, "holds a file twice")
    if missing := sorted(manifest.members.keys() - set(names)):
        raise Unreadable(file, f"was cut: {printable(missing[0], 100)!r} is missing, {len(missing)} of its files in all")
    if more := sorted(set(names) - manifest.members.keys()):
        raise Unreadable(file, f"holds {printable(more[0], 100)!r}, which {form.MANIFEST} does not name")


def _extract(file: Path, bundle: zipfile.ZipFile, member: zipfile.ZipInfo, said: Member, folder: Path) -> None:
    data = _read(file, bundle, member)
    if Member.of(data) != said:
        raise Unreadable(file, f"was changed: {printable(member.filename, 100)!r} is not what {form.MANIFEST} says")
    path = folder / member.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        out.write(data)


@contextmanager
def unpacked(file: Path) -> Generator[Unpacked]:
    """A bundle in a temporary folder, which is removed at the end of the block; see `unpack`."""
    with tempfile.TemporaryDirectory(prefix="harness-bundle-") as place:
        yield unpack(file, Path(place))
