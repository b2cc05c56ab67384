"""A folder of two runs: `casmurro`, an older one whose manifest says that it learned from Dom Casmurro, and `newer`."""

import json
import os
import shutil
from pathlib import Path


def copy_two_models(runs: Path, folder: Path) -> None:
    """Copy the run `story` of the tests' runs twice into `folder`."""
    for name in ("casmurro", "newer"):
        shutil.copytree(runs / "story", folder / name)
    path = folder / "casmurro" / "run.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["data"]["name"] = "dom-casmurro"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    os.utime(path, (0, 0))
