"""What a data name means: its files, their hashes, and where they can be had.

Hashes are SHA-256 of the **decompressed** bytes, since mirrors compress anew.
"""

from dataclasses import dataclass
from pathlib import Path

SAMPLE = Path(__file__).parent / "sample" / "sample.txt"
# addresses that end in / are folders that hold the file under its own name
_MNIST = ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/")
_GPT2 = "hf://openai-community/gpt2/"  # the Hub, wherever HF_ENDPOINT says that it is
_RASBT = "https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/28c65cdfbc3338e2e040016eea4b7fdf556e4d57/"
_LEVILELIS = "https://raw.githubusercontent.com/levilelis/rna_geracao_texto/d71548d5fc96ae5e5151d28988b0472cb2d2a345/"
_KARPATHY = "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/"


@dataclass(frozen=True)
class SourceFile:
    """One file of a source: its path below a data folder, its hash, addresses and other paths to try in order."""

    path: str
    sha256: str
    urls: tuple[str, ...] = ()
    other_paths: tuple[str, ...] = ()  # under which other programs store it


def _file(path: str, sha256: str, *addresses: str) -> SourceFile:
    urls = (address + Path(path).name if address.endswith("/") else address for address in addresses)
    return SourceFile(path, sha256, tuple(urls))


# where MNIST lies in a folder: with us, with torchvision, in Kaggle's archives, and the folder itself
MNIST_PLACES = ("mnist", "mnist/MNIST/raw", "mnist/raw", "MNIST/raw", "MNIST", "mnist-dataset", "raw", "")


def idx_names(name: str) -> tuple[str, ...]:
    """Return the names that one of MNIST's files goes by.

    >>> idx_names("t10k-labels-idx1-ubyte")[1:4]
    ('t10k-labels-idx1-ubyte.gz', 't10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte', 't10k-labels.idx1-ubyte')
    """
    return tuple(
        form for each in (name, name.replace("-idx", ".idx")) for form in (each, f"{each}.gz", f"{each}/{each}")
    )


def _mnist_file(name: str, sha256: str) -> SourceFile:
    others = tuple(f"{place}/{form}".lstrip("/") for place in MNIST_PLACES for form in idx_names(name))
    return SourceFile(f"mnist/{name}.gz", sha256, tuple(f"{address}{name}.gz" for address in _MNIST), others)


SOURCES: dict[str, tuple[SourceFile, ...]] = {
    # Edith Wharton, "The Verdict", 1908, public domain; the copy that LLMs-from-scratch uses
    "the-verdict": (
        _file("the-verdict.txt", "b41e41a68f0398a3154ae69e2e4c0e2694e17fe0d66730536837f1b01935b31f",
              _RASBT + "ch02/01_main-chapter-code/"),
    ),
    # 1.1 MB of Shakespeare, public domain, as char-rnn and nanoGPT use it
    "tiny-shakespeare": (
        _file("tinyshakespeare.txt", "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
              _KARPATHY + "data/tinyshakespeare/input.txt"),
    ),
    # Machado de Assis, "Dom Casmurro", 1899, public domain; Project Gutenberg's transcription without its header,
    # in the spelling of 1899, UTF-8 with Windows line ends
    "dom-casmurro": (
        _file("dom-casmurro.txt", "0e0f8a4d5a5c99fc002fb02c907d8bdab6313d666008482c898cfaa9e7846675",
              _LEVILELIS + "dom_casmurro.txt"),
    ),
    "mnist": tuple(
        _mnist_file(name, sha256)
        for name, sha256 in (
            ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        )
    ),
    # SMS Spam Collection (Almeida, Hidalgo 2011); elsewhere it is the Hub data set ucirvine/sms_spam
    "sms-spam": (_file("sms-spam.tsv", "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"),),
    # OpenAI GPT-2's vocabulary and merges, MIT
    "gpt2-tokenizer": tuple(
        _file(f"gpt2-tokenizer/{name}", sha256, _GPT2)
        for name, sha256 in (
            ("vocab.json", "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
            ("merges.txt", "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
        )
    ),
}  # fmt: skip
