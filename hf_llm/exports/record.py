"""export.json: what an export was made from and how it was checked; and where its files lie in a repository.

No heavy import: a push reads it, too.
"""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple, get_args

from hf_llm.config import UserError, require, typed
from hf_llm.exports.config import Format
from hf_llm.runs.atomic import file_sha256

RECORD = "export.json"
SOURCES = ("config.json", "model.safetensors", "tokenizer.json")  # what an export is made from
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")
BESIDE = ("config.json", "generation_config.json", *TOKENIZER)
FILES = {  # of each format, by patterns of `fnmatch`
    "gguf": ("model-*.gguf", RECORD),
    "onnx": ("model.onnx", *BESIDE, RECORD),
    "openvino": ("openvino_model.xml", "openvino_model.bin", *BESIDE, RECORD),
    "mlx": ("model.safetensors", *BESIDE, RECORD),
}


class Export(NamedTuple):
    """An export that lies in a run's folder.

    Attributes:
        files: {path in a repository: file}, the record's own included.
        sha256: {path: hash} of the same.
        record: What export.json says.
    """

    files: dict[str, Path]
    sha256: dict[str, str]
    record: dict


def read_export(run: Path, to: Format, sources: dict[str, str]) -> Export:
    """Return the export that lies in a run's folder, in the folder of its format's name.

    Args:
        run: The run's folder.
        to: The format.
        sources: {name: SHA-256} of the run's own files.

    Raises:
        UserError: When there is none, it was made from other weights than these, or a file was changed since.
    """
    folder, again = run / to, f"make it with: {typed('hf-llm', 'export', run, '--to', to)}"
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        made_from, hashes = dict(record["made_from"]), dict(record["files"])
    except FileNotFoundError:
        raise UserError(f"{run} has no {to} export; {again}") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{folder / RECORD} is not the record of an export; {again}") from None
    for name in SOURCES:
        same = made_from.get(name) == sources.get(name)
        require(same, f"{folder} was made from another {name} than the run's; {again}")
    for name, sha256 in hashes.items():
        file = folder / name
        of_format = any(fnmatch(name, pattern) for pattern in FILES[to]) and not folder.is_symlink()
        whole = of_format and file.is_file() and not file.is_symlink() and file_sha256(file) == sha256
        require(whole, f"{file} is not the file that the export wrote; {again}")
    hashes[RECORD] = file_sha256(folder / RECORD)
    files = {path_in_repository(to, name): folder / name for name in hashes}
    return Export(files, {path_in_repository(to, name): sha256 for name, sha256 in hashes.items()}, record)


def path_in_repository(to: Format, name: str) -> str:
    """Return where a file of an export lies beside a model: where the programs of its format look for it.

    ollama and LM Studio read GGUF files at the top, transformers.js the folder onnx/, optimum the folder openvino/.

    >>> path_in_repository("gguf", "model-q8_0.gguf"), path_in_repository("onnx", "model.onnx")
    ('model-q8_0.gguf', 'onnx/model.onnx')
    """
    return name if to == "gguf" and name != RECORD else f"{to}/{name}"


def is_of_an_export(path: str) -> bool:
    """Say whether a path in a repository is where an export's file lies."""
    return IN_REPOSITORY.fullmatch(path) is not None


IN_REPOSITORY = re.compile(
    "|".join(
        re.escape(path_in_repository(to, pattern)).replace(r"\*", r"\w+")
        for to in get_args(Format)
        for pattern in FILES[to]
    ),
    re.ASCII,
)
