"""Named data: what a name means, where it is looked for, and that it is what it should be.

Search order: an explicit path → `$HF_LLM_DATA_DIR` → `./data` → the user cache → download into the cache → a
sentence that names all of these. Hashes are SHA-256 of the **decompressed** bytes, since mirrors compress anew.
"""

import gzip
import hashlib
import os
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hf_llm.config import UserError, nearest

SAMPLE = Path(__file__).parent / "sample" / "sample.txt"
_MNIST_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
_GPT2 = "https://huggingface.co/openai-community/gpt2/resolve/main/"


@dataclass(frozen=True)
class SourceFile:
    """One file of a source: its path below a data folder, its hash, and addresses to try in order."""

    path: str
    sha256: str
    urls: tuple[str, ...] = ()


def _mnist(name: str, sha256: str) -> SourceFile:
    return SourceFile(f"mnist/{name}.gz", sha256, tuple(f"{mirror}{name}.gz" for mirror in _MNIST_MIRRORS))


SOURCES: dict[str, tuple[SourceFile, ...]] = {
    # Edith Wharton, "The Verdict", 1908, public domain; the copy that LLMs-from-scratch uses
    "the-verdict": (
        SourceFile(
            "the-verdict.txt",
            "b41e41a68f0398a3154ae69e2e4c0e2694e17fe0d66730536837f1b01935b31f",
            (
                "https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/"
                "28c65cdfbc3338e2e040016eea4b7fdf556e4d57/ch02/01_main-chapter-code/the-verdict.txt",
            ),
        ),
    ),
    # 1.1 MB of Shakespeare, public domain, as char-rnn and nanoGPT use it
    "tiny-shakespeare": (
        SourceFile(
            "tinyshakespeare.txt",
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            (
                "https://raw.githubusercontent.com/karpathy/char-rnn/"
                "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
            ),
        ),
    ),
    "mnist": (
        _mnist("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        _mnist("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        _mnist("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        _mnist("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
    # SMS Spam Collection (Almeida, Hidalgo 2011); elsewhere it is the Hub data set ucirvine/sms_spam
    "sms-spam": (SourceFile("sms-spam.tsv", "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"),),
    # OpenAI GPT-2's vocabulary and merges, MIT
    "gpt2-tokenizer": (
        SourceFile(
            "gpt2-tokenizer/vocab.json",
            "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
            (_GPT2 + "vocab.json",),
        ),
        SourceFile(
            "gpt2-tokenizer/merges.txt",
            "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
            (_GPT2 + "merges.txt",),
        ),
    ),
}


class MissingData(UserError):
    """A named source is nowhere in the search path and could not be downloaded."""


def find(source: str) -> list[Path]:
    """Return the files of `source`, a name of `SOURCES`, `sample`, or a path; their hashes are checked.

    Raises:
        MissingData: When a named source is nowhere to be had.
        UserError: When a path does not exist or a file's content is not what its name promises.
    """
    if source == "sample":
        return [SAMPLE]
    if source in SOURCES:
        return [_find_file(source, file) for file in SOURCES[source]]
    path = Path(source).expanduser()
    if not path.exists():
        names = ["sample", *SOURCES]
        raise UserError(
            f"no such file or source: {source!r}{nearest(source, names)}; name a file or one of {', '.join(names)}"
        )
    return [path]


def user_cache() -> Path:
    """Return the folder that downloads go to: `$XDG_CACHE_HOME` (or the system's counterpart) + hf_llm."""
    if "XDG_CACHE_HOME" in os.environ:
        return Path(os.environ["XDG_CACHE_HOME"]) / "hf_llm"
    if sys.platform == "win32" and "LOCALAPPDATA" in os.environ:
        return Path(os.environ["LOCALAPPDATA"]) / "hf_llm"
    return Path.home() / ".cache" / "hf_llm"


def search_folders() -> list[Path]:
    """Return the folders that a named file is looked for in, first to last."""
    given = os.environ.get("HF_LLM_DATA_DIR")
    return [*([Path(given).expanduser()] if given else []), Path("data"), user_cache()]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's decompressed bytes."""
    try:
        stat = path.stat()
        return _sha256_of(path, stat.st_size, stat.st_mtime_ns)
    except (OSError, EOFError) as error:  # gzip raises both
        raise UserError(f"{path} cannot be read: {error}") from None


@lru_cache
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    """`size` and `mtime_ns` make the cache forget a file that changed."""
    opener = gzip.open if path.suffix == ".gz" else open
    digest = hashlib.sha256()
    with opener(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _find_file(source: str, file: SourceFile) -> Path:
    for folder in search_folders():
        path = folder / file.path
        if path.is_file():
            if sha256_of(path) != file.sha256:
                raise UserError(f"{path} is not the {source} that this project knows (SHA-256 differs); remove it")
            return path
    return _download(source, file)


def _download(source: str, file: SourceFile) -> Path:
    """Fetch `file` into the user cache, atomically: a reader sees the whole checked file or none."""
    target, failures = user_cache() / file.path, []
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    for url in () if offline else file.urls:
        try:
            print(f"downloading {url}", file=sys.stderr)
            with urllib.request.urlopen(url, timeout=20) as response:
                content = response.read()
            plain = gzip.decompress(content) if target.suffix == ".gz" else content
            if hashlib.sha256(plain).hexdigest() != file.sha256:
                failures.append(f"{url}: other content than expected")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as temporary:
                temporary.write(content)
                temporary.flush()
                os.fsync(temporary.fileno())
            os.chmod(temporary.name, 0o644)
            os.replace(temporary.name, target)
            return target
        except (OSError, EOFError) as error:  # URLError is an OSError
            failures.append(f"{url}: {getattr(error, 'reason', error)}")
    reason = "; ".join(failures) or ("HF_HUB_OFFLINE is set" if offline else "it has no address to download from")
    looked = ", ".join(str(folder / file.path) for folder in search_folders())
    raise MissingData(
        f"{source} was not found: looked for {looked} and could not download it ({reason}); "
        f"put the file in one of these places, set HF_LLM_DATA_DIR to the folder that holds it, or use 'sample'"
    )
