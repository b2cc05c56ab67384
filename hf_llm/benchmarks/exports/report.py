"""The two export checks, their records and verdicts."""

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
from hf_llm.exports.engine import Engine
from hf_llm.exports.export import bits_per_byte
from hf_llm.exports.formats import gguf_name, require_packages, start, write
from hf_llm.exports.llama_cpp import LlamaCpp
from hf_llm.exports.source import Source, load_source

NEW_TOKENS = 20
SHAPE_PROMPTS, SHAPE_TOKENS = 6, 10
FEWEST_ENGINES = 3
SHOW_EVERY = 100  # prompts


def packages() -> dict[Format, dict[str, str]]:
    """Return {format: {package: version}} of the formats whose engines are here; says which are not."""
    found = {}
    for to in get_args(Format):
        try:
            found[to] = require_packages(to)
        except UserError as error:
            print(f"left out: {error}")
    return found


def prompts_check(run: str, count: int, seed: int, transformers_js: str | None, output_dir: str | None) -> bool:
    """Continue prompts of a trained model in every engine; arguments as of hf-llm export_check.

    Returns:
        Whether at least three engines were here, and each continued every prompt as transformers does.
    """
    started, source, versions = time.perf_counter(), load_source(run), packages()
    workspace = Path(tempfile.mkdtemp(prefix="exports-"))
    engines = load_engines(source, list(versions), workspace)
    if transformers_js and "onnx" in engines:  # as it finds a model on the Hub: onnx/ beside config and tokenizer
        for part in (source.model.config, source.model.generation_config, source.tokenizer):
            part.save_pretrained(workspace)
        engines["transformers.js"] = TransformersJS(workspace, Path(transformers_js))
    results = {name: Comparison() for name in engines}
    prompts = source.prompts(count, NEW_TOKENS, seed)
    for first in range(0, count, SHOW_EVERY):
        for name, part in compare(source, engines, prompts[first : first + SHOW_EVERY], NEW_TOKENS).items():
            results[name] += part
        print(f"{results[name].prompts} prompts", flush=True)
    if "transformers.js" in engines:
        engines["transformers.js"].close()
    bits = bits_per_byte(source, workspace / "gguf") if "gguf" in engines else {}
    shutil.rmtree(workspace)
    problems = [f"{name}: {len(result.different)} texts differ" for name, result in results.items() if result.different]
    if len(engines) < FEWEST_ENGINES:
        problems.append(f"only {len(engines)} engines were here: {', '.join(engines)}")
    records = []
    for name, result in results.items():
        print(f"{name}: {result.summary()}")
        for kind in ("ties", "near", "different"):
            records += [{"engine": name, "kind": kind, **each} for each in getattr(result, kind)]
    counted = {
        name: {
            "prompts": result.prompts, "tokens": result.tokens, "identical": result.identical,
            "ties": len(result.ties), "near": len(result.near), "different": len(result.different),
        }
        for name, result in results.items()
    }  # fmt: skip
    return conclude(
        output_dir, "differences.jsonl", records, problems, seed=seed, made_from=source.files, packages=versions,
        engines=counted, bits_per_byte=bits, seconds=round(time.perf_counter() - started),
    )  # fmt: skip


def shapes_check(count: int, seed: int, output_dir: str | None) -> bool:
    """Export models of drawn shapes in every format at hand; arguments as of hf-llm export_check.

    Returns:
        Whether each was loaded by its engine, and continued some prompts there as in transformers.
    """
    started, versions, records = time.perf_counter(), packages(), []
    files = find("gpt2-tokenizer")
    for shape in draw_shapes(count, seed):
        for record in check_shape(shape, source_of(shape, tokenizer_of(shape, files)), list(versions)):
            records.append(record)
            print(f"{shape.seed:4d}  {record['format']:8}  {shape}: {record['outcome']}", flush=True)
    failed = [record for record in records if record["failed"]]
    problems = [f"shape {record['shape']['seed']}, {record['format']}: {record['outcome']}" for record in failed]
    failures = Counter(record["format"] for record in failed)
    return conclude(
        output_dir, "shapes.jsonl", records, problems, seed=seed, packages=versions, models=count,
        failures={to: failures[to] for to in versions}, seconds=round(time.perf_counter() - started),
    )  # fmt: skip


def check_shape(shape: Shape, source: Source, formats: list[Format]) -> list[dict]:
    """Export a drawn model in each format, load it in its engine, and compare some texts; a record for each."""
    records = []
    for to in formats:
        workspace = Path(tempfile.mkdtemp(prefix="exports-"))
        started = time.perf_counter()
        try:
            engines = load_engines(source, [to], workspace)
            result = compare(source, engines, source.prompts(SHAPE_PROMPTS, SHAPE_TOKENS), SHAPE_TOKENS)[to]
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


def load_engines(source: Source, formats: list[Format], workspace: Path) -> dict[str, Engine]:
    """Export a model in each format, into a folder of its name, and load it there."""
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
