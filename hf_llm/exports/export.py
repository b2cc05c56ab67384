"""From a run to the files of another program: written aside, tried in that program, and only then there."""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hf_llm.config import advice, require, user_path, without_droppings
from hf_llm.exports.check import compare
from hf_llm.exports.config import ExportConfig
from hf_llm.exports.formats import gguf_name, require_packages, require_room, start, write
from hf_llm.exports.gguf import WEIGHTS
from hf_llm.exports.llama_cpp import LlamaCpp
from hf_llm.exports.record import FILES, RECORD
from hf_llm.exports.source import Source, load_source
from hf_llm.runs import lock
from hf_llm.runs.atomic import file_sha256, to_json
from hf_llm.runs.manifest import command_for_others, command_line, commit, environment
from hf_llm.tokenization.byte_lengths import source_byte_lengths
from hf_llm.tokenization.folder import check_free, named_folder, new_folder
from hf_llm.tokenization.tokenizer import encode_document

logger = logging.getLogger(__name__)

PROMPTS, NEW_TOKENS = 20, 20
LARGEST_CHANGE = 0.005  # of bits per byte, as a share
MOST_SCORED = 512  # tokens that bits per byte are measured on: llama.cpp is asked for each


class Exported(NamedTuple):
    """What an export made: the folder, {file: bytes} in it, and its record."""

    folder: Path
    files: dict[str, int]
    record: dict


def export(config: ExportConfig) -> Exported:
    """Write a run in another format into a folder, which appears when the export has passed its check.

    Raises:
        UserError: When a package is missing, the folder is taken, the format cannot hold the model, or its program
            continues a prompt otherwise than transformers. There is no new folder then.
    """
    here = config.output_dir is not None or user_path(config.run).is_dir()
    where = advice(output_dir="if it is a model of the Hub, say with {} what to make")
    require(here, f"{config.run} is no folder to export into{where}")
    what = f"{config.to} export"
    check_free(named_folder(config.folder), what, FILES[config.to], overwrite=True)
    versions = require_packages(config.to)
    source = load_source(config.run)
    require_room(config.to, source)
    with new_folder(config.folder, what, FILES[config.to], overwrite=True) as folder:
        write(config.to, source, folder)
        checks = check(config, source, folder)
        names = [path.name for path in without_droppings(folder.iterdir()) if path.name not in lock.NAMES]
        record = {
            "format": config.to,
            "made_from": source.files,
            "files": {name: file_sha256(folder / name) for name in names},
            "checks": checks,
            "begins_documents": source.begins_documents,
            "command": command_for_others(command_line()),
            "commit": commit(),
            "versions": environment()["versions"] | versions,
        }
        (folder / RECORD).write_text(to_json(record), encoding="utf-8")
    return Exported(config.folder, {name: (config.folder / name).stat().st_size for name in names}, record)


def check(config: ExportConfig, source: Source, folder: Path) -> dict:
    """Try an export in its own program.

    Returns:
        `greedy`, how its texts compare with transformers', and of GGUF `bits_per_byte`.

    Raises:
        UserError: When it is not the same model.
    """
    tokens = min(NEW_TOKENS, source.context // 2)
    engine = {config.to: start(config.to, source, folder)}
    texts = compare(source, engine, source.prompts(PROMPTS, tokens), tokens)[config.to]
    first = texts.different[0]["prompt"] if texts.different else ""
    require(
        not texts.different,
        f"the {config.to} export of {config.run} is not the same model: {len(texts.different)} of {texts.prompts} "
        f"greedy texts differ from transformers', the first after {first!r}; nothing was written",
    )
    checks = {"greedy": {"summary": texts.summary(), **vars(texts)}}
    return checks | ({"bits_per_byte": bits_per_byte(source, folder)} if config.to == "gguf" else {})


def bits_per_byte(source: Source, folder: Path) -> dict:
    """Measure the held-out text in llama.cpp with each kind of weights; those of fewer bits as people run them.

    Raises:
        UserError: When fewer bits change it by more than `LARGEST_CHANGE`.
    """
    whole = encode_document(source.tokenizer, source.text)
    lengths = source_byte_lengths(source.tokenizer, [whole[1:]], len(source.text.encode("utf-8")))
    ids = whole[: MOST_SCORED + 1]
    size = round(lengths[ids[1:]].sum())
    measured = {}
    for weights in WEIGHTS:
        cache = "f32" if weights == "f32" else "f16"
        engine = LlamaCpp(folder / gguf_name(weights), source.context, cache)
        measured[weights] = engine.bits(ids, source.context) / size
        change = measured[weights] / measured["f32"] - 1
        require(
            np.isfinite(change) and abs(change) <= LARGEST_CHANGE,
            f"{weights} changes bits per byte by {change:+.2%} ({source.text_name}), more than {LARGEST_CHANGE:.1%}; "
            "nothing was written",
        )
    changes = {f"{weights}_change": value / measured["f32"] - 1 for weights, value in measured.items()}
    return {"text": source.text_name, "tokens": len(ids) - 1, **measured, **changes}
