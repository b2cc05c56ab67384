"""What a data name means: its files, their hashes, and where they can be had.

Hashes are SHA-256 of the **decompressed** bytes, since mirrors compress anew.
"""

from dataclasses import dataclass
from pathlib import Path

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
