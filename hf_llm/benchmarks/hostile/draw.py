"""Which environment comes next: drawn by number, so that each can be drawn again.

What the words mean is in world.py, which builds an environment, and in child.py, which enters it.
"""

import random
from typing import NamedTuple

WRITERS = ("pretrain", "train_mnist", "train_tokenizer", "prepare_corpus", "instantiate_gpt2")
READERS = ("generate", "evaluate_lm", "verify", "compare_tokenizers", "plan")
COMMANDS = (*WRITERS, *READERS)
TAKE_A_TEXT = ("pretrain", "train_tokenizer", "prepare_corpus", "evaluate_lm", "compare_tokenizers", "plan")
TAKE_A_MODEL = ("generate", "evaluate_lm", "verify", "compare_tokenizers")

# What a disk answers, {call: error}
WEAK_DISKS = {
    "no fsync of folders": {"fsync of a folder": "EINVAL"},
    "no fsync": {"fsync": "ENOSYS", "fsync of a folder": "ENOSYS"},
    "no flock, as on NFS": {"flock": "ENOLCK"},
    "no flock, as in FUSE": {"flock": "ENOSYS"},
    "no chmod, as on FAT": {"chmod": "EPERM"},
    "a cloud drive": {
        "fsync": "ENOTSUP", "fsync of a folder": "EINVAL", "flock": "ENOTSUP", "chmod": "ENOTSUP", "statvfs": "nothing",
    },
    "over quota": {"statvfs": "plenty"},
}  # fmt: skip
FULL = ("full", "over quota")  # the one says so; the other has room for everybody, but not for this user
MOUNTED = (*FULL, "read-only", "another disk, by a link")  # only where a disk can be mounted
DISKS = ("ordinary", *WEAK_DISKS, *MOUNTED[2:], "full", "a link to nowhere", "a link in a circle", "closed")
PATHS = {
    "plain": "run",
    "spaces": "meu modelo",
    "accents": "coração",
    "quotes": 'it\'s "mine"',
    "of a shell": "a;b&c $HOME `x`",
    "a dash first": "-run",
    "a pattern": "livros [2024]*",
    "a backslash": "a\\b",
    "two lines": "one\ntwo",
    "long": "x" * 240,
    "hidden": ".run",
    "beyond the basic plane": "🙂",
    "Latin-1": "caf\udce9",
    "a tilde": "~/run",
    "deep": "a/b/c/run",
    "taken by a file": "file",
    "with droppings": "dropped",
}
VARIABLES = (
    "ordinary", "no HOME", "no HOME, no entry", "an empty HOME", "a HOME that is not there", "a closed HOME",
    "TMPDIR is not there", "XDG_CACHE_HOME with a tilde", "data folder is a file", "data folder is closed",
    "POSIX locale", "ASCII output", "broken thread count", "HF_HOME is closed", "strict umask", "stdout is full",
    "stdout is closed", "no stdin",
)  # fmt: skip
# what libraries read when they load: these get an interpreter of their own
AT_IMPORT = ("POSIX locale", "ASCII output", "broken thread count", "HF_HOME is closed", "stdout is closed", "no stdin")
TEXTS = (
    "good", "empty", "one letter", "only spaces", "Latin-1", "UTF-16", "binary", "Windows", "damaged gzip", "missing",
    "a folder", "closed", "a link to nowhere", "a link in a circle", "a pipe", "a Latin-1 name", "a name with a dash",
    "a name with spaces",
)  # fmt: skip
MODELS = (
    "good", "with droppings", "cut weights", "an LFS pointer", "no tokenizer", "a mark before the settings",
    "closed weights", "settings are no JSON", "read-only parent",
)  # fmt: skip


class Environment(NamedTuple):
    """What a command meets; `room` is the size of a full disk in bytes."""

    number: int
    command: str
    disk: str
    path: str
    variables: str
    text: str
    model: str
    room: int


def draw(seed: int, number: int, can_mount: bool) -> Environment:
    """Draw the environment of a number; half of the inputs are good, so that the rest gets its turn."""
    rng = random.Random(f"{seed} {number}")

    def choose(values, ordinary: str, share: float) -> str:
        return ordinary if rng.random() < share else rng.choice(list(values))

    command = rng.choice(COMMANDS)
    disks = [disk for disk in DISKS if (can_mount or disk not in MOUNTED) and (command in WRITERS or disk not in FULL)]
    return Environment(
        number, command,
        disk=choose(disks, "ordinary", 0.2),
        path=choose(PATHS, "plain", 0.25),
        variables=choose(VARIABLES, "ordinary", 0.35),
        text=choose(TEXTS, "good", 0.6) if command in TAKE_A_TEXT else "good",
        model=choose(MODELS, "good", 0.55) if command in TAKE_A_MODEL else "good",
        room=4096 * rng.randrange(1, 60),
    )  # fmt: skip
