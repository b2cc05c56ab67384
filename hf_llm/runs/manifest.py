"""run.json: what was run, on what, and what came out; enough to repeat it."""

import hashlib
import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hf_llm.config import UserError, require
from hf_llm.runs.atomic import file_sha256

NAME = "run.json"
PACKAGES = ("torch", "transformers", "tokenizers", "accelerate", "safetensors", "numpy")
# settings that say where things go, not what the numbers are
WITHOUT_EFFECT = (
    "output_dir",
    "report_to",
    "logging_steps",
    "save_steps",
    "save_total_limit",
    "restart",
    "log_samples",
    "push_to_hub",
    "hub_model_id",
    "hub_private_repo",
)


def environment() -> dict:
    """Return the versions and the machine that the numbers depend on."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "versions": versions,
        "platform": platform.platform(aliased=True),
        "machine": platform.machine(),
        "processor": _processor(),
    }


def command_line() -> str:
    """Return the command that started this process, as one would type it."""
    words = ["python", *sys.argv]
    return " ".join(word if word and not set(word) & set(" \"'$*?") else json.dumps(word) for word in words)


def commit() -> str | None:
    """Return the commit of the source, with "+" where the work tree differs from it; None outside a checkout.

    results/ is no source: several measurements in a row write there, each from the same commit.
    """
    source = Path(__file__).parents[2]

    def git(*words):
        return subprocess.run(["git", "-C", str(source), *words], capture_output=True, text=True, timeout=20)

    try:
        head = git("rev-parse", "HEAD")
        if head.returncode != 0 or not (source / "pyproject.toml").exists():
            return None
        changed = git(
            "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude,top)results"
        ).stdout.strip()
        return head.stdout.strip() + ("+" if changed else "")
    except (OSError, subprocess.TimeoutExpired):
        return None


def what_counts(config: dict) -> dict:
    """Return the settings that change the numbers."""
    return {name: value for name, value in config.items() if name not in WITHOUT_EFFECT}


def differences(old: dict, new: dict) -> list[str]:
    """Name the values that differ between two flat dicts, as "name: old → new"."""
    names = [*old, *(name for name in new if name not in old)]
    return [f"{name}: {old.get(name)} → {new.get(name)}" for name in names if old.get(name) != new.get(name)]


def hashes(folder: Path, names: list[str]) -> dict[str, str]:
    """Return {file name: SHA-256} of files in `folder`."""
    return {name: file_sha256(folder / name) for name in names}


def sha256_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_manifest(folder: Path) -> dict | None:
    """Return run.json, or None where there is none.

    Raises:
        UserError: When the file is there and is not a manifest.
    """
    path = Path(folder) / NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(manifest, ensure_ascii=False).encode()  # half of a surrogate pair can be read, but not written again
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({error}); start anew with --restart") from None
    require(
        isinstance(manifest, dict) and isinstance(manifest.get("config"), dict),
        f"{path} is not a run's manifest (it has no config); start anew with --restart",
    )
    return manifest


def _processor() -> str:
    """Return the processor's name; platform.processor() is empty on Linux."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()
