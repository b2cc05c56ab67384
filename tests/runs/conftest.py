import os
import subprocess
import sys

import pytest


@pytest.fixture
def mount_tmpfs(tmp_path):
    """Returns a function that mounts a real, small file system at tmp_path/disk: mount_tmpfs("size=1m")."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True)
        if done.returncode != 0:
            pytest.skip("mounting a small disk needs root on Linux")
        return disk

    yield mount
    subprocess.run(["umount", "-l", str(disk)], capture_output=True)
