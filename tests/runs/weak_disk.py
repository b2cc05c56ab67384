"""A disk that lacks fsync, flock or chmod: what it answers, as such file systems do."""

import errno
import os

MISSING = {
    "CIFS, 9p": {"fsync": errno.EINVAL},
    "FUSE": {"fsync": errno.ENOSYS, "flock": errno.ENOSYS, "chmod": errno.ENOSYS},
    "NFS without a lock daemon": {"flock": errno.ENOLCK},
    "FAT": {"chmod": errno.EPERM},
    "a cloud drive": {"fsync": errno.ENOTSUP, "flock": errno.EOPNOTSUPP, "chmod": errno.ENOTSUP},
}


def weaken(monkeypatch, missing: dict[str, int]) -> None:
    """Have the calls end with these errors, everywhere."""
    import fcntl

    for name, number in missing.items():

        def refuse(*_, number=number, **more):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl if name == "flock" else os, name, refuse)
