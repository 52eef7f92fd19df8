"""What a disk can do that several processes on one results directory need.

Locks that hold between machines and hard links: local disks and NFS 4 have both, as do Lustre mounted with ``flock``, CephFS,
GPFS and BeeGFS with ``tuneUseGlobalFileLocks``. Without hard links (FAT, some shares of Windows) claims are made in another
way that is as safe. Without locks a claim is still had by one process at a time, but one that was frozen for minutes and lost
its run may write once more when it wakes.
"""

from __future__ import annotations

from pathlib import Path

from harness.runs.folder_lock import has_locks


def disk_remark(folder: Path) -> str | None:
    """What is to be said of the disk that a folder is on before several processes share it; ``None`` if nothing is.

    Raises:
        OSError: No file can be made in the folder.
    """
    if has_locks(folder):
        return None
    return (
        f"the disk of {folder} has no file locks: several processes may still share these results, but after a machine was"
        " frozen for minutes, by sleep or suspension, look at its runs before you trust them; better is a disk with locks,"
        " such as a local one, NFS 4, or Lustre mounted with 'flock'"
    )
