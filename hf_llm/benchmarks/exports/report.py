"""The export check, its records and its verdict."""

import shutil
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from hf_llm.benchmarks.exports.shapes import Shape, draw_shapes, source_of, tokenizer_of
from hf_llm.benchmarks.exports.transformers_js import TransformersJS
from hf_llm.benchmarks.record import conclude
from hf_llm.config import UserError
from hf_llm.data import find
from hf_llm.exports.check import Comparison, compare
from hf_llm.exports.config import Format
from hf_llm.exports.export import bits_per_byte
from hf_llm.exports.formats import gguf_name, require_packages, start, write
from hf_llm.exports.llama_cpp import LlamaCpp
from hf_llm.exports.source import Source, load_source

NEW_TOKENS = 20
SHAPE_PROMPTS, SHAPE_TOKENS = 6, 10
FEWEST_ENGINES = 3


def export_check(
    run: str, prompts: int, shapes: int, seed: int, transformers_js: str | None, output_dir: str | None
) -> bool:
    """Compare every engine at hand with transformers; arguments as of scripts/export_check.py.

    Returns:
        Whether at least three engines continued every prompt alike, and every drawn model.
    """
    started, versions = time.perf_counter(), {}
    for to in get_args(Format):
        try:
            versions[to] = require_packages(to)
        except UserError as error:
            print(f"left out: {error}")
    modules = Path(transformers_js) if transformers_js else None
    texts, bits = check_prompts(load_source(run), list(versions), modules, prompts, seed)
    for name, result in texts.items():
        print(f"{name}: {result.summary()}", flush=True)
    problems = [f"{name}: {len(result.different)} texts differ" for name, result in texts.items() if result.different]
    if len(texts) < FEWEST_ENGINES:
        problems.append(f"only {len(texts)} engines were at hand: {', '.join(texts)}")
    records = []
    for shape in draw_shapes(shapes, seed):
        for record in check_shape(shape, source_of(shape, tokenizer_of(shape, find("gpt2-tokenizer"))), list(versions)):
            records.append(record)
            print(f"{shape.seed:4d}  {record['format']:8}  {shape}: {record['outcome']}", flush=True)
    problems += [
        f"shape {each['shape']['seed']}, {each['format']}: {each['outcome']}" for each in records if each["failed"]
    ]
    counts = {to: Counter(record["failed"] for record in records if record["format"] == to) for to in versions}
    return conclude(
        output_dir, "shapes.jsonl", records, problems, seed=seed,
        packages={to: packages for to, packages in versions.items()},
        prompts={name: {"summary": result.summary(), **asdict(result)} for name, result in texts.items()},
        bits_per_byte=bits,
        shapes={to: {"models": sum(count.values()), "failures": count[True]} for to, count in counts.items()},
        seconds=round(time.perf_counter() - started),
    )  # fmt: skip


def check_prompts(
    source: Source, formats: list[Format], modules: Path | None, count: int, seed: int
) -> tuple[dict[str, Comparison], dict]:
    """Export a model, continue `count` prompts in every engine, and measure GGUF's bits per byte.

    Args:
        source: A trained model.
        formats: Those whose packages are here.
        modules: Where transformers.js is installed; None leaves it out.
        count: How many prompts.
        seed: Draws them.
    """
    workspace = Path(tempfile.mkdtemp(prefix="exports-"))
    engines = _engines(source, formats, workspace)
    if modules and "onnx" in formats:  # as it finds a model on the Hub: onnx/ beside config.json and the tokenizer
        for part in (source.model.config, source.model.generation_config, source.tokenizer):
            part.save_pretrained(workspace)
        engines["transformers.js"] = TransformersJS(workspace, modules)
    results = compare(source, engines, source.prompts(count, NEW_TOKENS, seed), NEW_TOKENS)
    if "transformers.js" in engines:
        engines["transformers.js"].close()
    bits = bits_per_byte(source, workspace / "gguf") if "gguf" in formats else {}
    shutil.rmtree(workspace)
    return results, bits


def check_shape(shape: Shape, source: Source, formats: list[Format]) -> list[dict]:
    """Export a drawn model in each format, load it in its engine, and compare some texts; a record for each."""
    records = []
    for to in formats:
        workspace = Path(tempfile.mkdtemp(prefix="exports-"))
        started = time.perf_counter()
        try:
            engine = _engines(source, [to], workspace)[to]
            result = compare(source, {to: engine}, source.prompts(SHAPE_PROMPTS, SHAPE_TOKENS), SHAPE_TOKENS)[to]
            outcome, failed = result.summary(), bool(result.different)
            if to == "gguf":
                outcome += _other_weights(source, workspace / to)
        except Exception as error:  # whatever a converter or an engine dies of is what is looked for
            result, outcome, failed = Comparison(), f"{type(error).__name__}: {error}"[:300], True
        shutil.rmtree(workspace)
        seconds = round(time.perf_counter() - started, 1)
        details = {"ties": result.ties, "near": result.near, "different": result.different}
        records.append(
            {"format": to, "shape": asdict(shape), "outcome": outcome, "failed": failed, **details, "seconds": seconds}
        )
    return records


def _engines(source: Source, formats: list[Format], workspace: Path) -> dict:
    engines = {}
    for to in formats:
        (workspace / to).mkdir()
        write(to, source, workspace / to)
        engines[to] = start(to, source, workspace / to)
    return engines


def _other_weights(source: Source, folder: Path) -> str:
    """Load the files of fewer bits and let them write; returns how many first tokens are those of fp32."""
    said = ""
    prompts = source.prompts(SHAPE_PROMPTS, SHAPE_TOKENS)
    for weights in ("f16", "q8_0"):
        engine = LlamaCpp(folder / gguf_name(weights), source.context, cache="f16")
        first = [engine.continue_text(prompt, 1).new_ids == source.greedy(source.ids(prompt), 1) for prompt in prompts]
        said += f"; {weights}: {sum(first)} of {len(first)} first tokens the same"
    return said
