"""Tokens a second of greedy text at batch 1: our step, transformers' `generate()` in each of its ways, other engines.

Two GPT-2s that are trained here, since a quantised model is judged by what it says of a text: that of the demo, on one
thread, and GPT-2 small, on all. Of each contestant the time of a long text less that of a single token counts: reading
the prompt, and asking a server, is not decoding.
"""

import copy
import dataclasses
import logging
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from transformers import CompileConfig

from hf_llm.benchmarks.figure import draw_speeds
from hf_llm.benchmarks.record import in_turn, ratios, recipe, seconds, speeds, write_result
from hf_llm.benchmarks.training_speed import SMALL
from hf_llm.config import UserError, require
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.exports.formats import gguf_name, require_packages, start, write
from hf_llm.exports.llama_cpp import LlamaCpp
from hf_llm.exports.source import Source, load_source
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.decoding import decode
from hf_llm.generation.native.weights import KINDS, as_read
from hf_llm.recipes.pretrain import pretrain
from hf_llm.tokenization.byte_lengths import source_byte_lengths
from hf_llm.tokenization.tokenizer import encode_document
from hf_llm.training.config import PretrainConfig

logger = logging.getLogger(__name__)

ROUNDS = 7
PROMPT = "It was not"
OURS = [f"ours {precision}" for precision in KINDS]
# until it says something of a text: what rounding its weights costs can then be measured
TRAINING = {
    "dropout": 0.0, "max_steps": 100, "warmup_steps": 20, "learning_rate": 6e-4, "precision": "bf16", "compile": True,
    "eval_steps": 1000, "eval_tokens": 4096, "eval_stride": 256, "sample_tokens": 1,
}  # fmt: skip


def run(output_dir: Path) -> None:
    """Train both models, let all write in turn, and write result.json; a quarter of an hour on two cores."""
    with tempfile.TemporaryDirectory() as scratch:
        configs = {
            "verdict": recipe(PretrainConfig, "gpt2/verdict", output_dir=f"{scratch}/verdict"),
            "small": PretrainConfig(output_dir=f"{scratch}/small", **SMALL, **TRAINING),
        }
        results = {}
        for name, threads, tokens in (("verdict", 1, 50), ("small", torch.get_num_threads(), 48)):
            pretrain(configs[name])
            torch.set_num_threads(threads)
            results[name] = {"threads": threads} | contest(load_source(configs[name].output_dir), tokens, scratch)
        write_result(
            output_dir, configs={name: dataclasses.asdict(config) for name, config in configs.items()}, **results
        )
    draw_speeds(output_dir / "speed.png", {name: result["timings"] for name, result in results.items()}, OURS)


def contest(source: Source, tokens: int, scratch: str) -> dict:
    """Return each contestant's tokens a second, the text that it wrote beside fp32's, and what rounding costs."""
    contestants, failed = contestants_of(source, Path(scratch)), {}
    for name, write_text in list(contestants.items()):
        try:
            write_text(tokens)  # compiles, warms up
        except Exception as error:  # a baseline that crashes is listed with its error
            if name in OURS:
                raise
            logger.warning("%s: %s", name, error)
            failed[name] = str(error).splitlines()[0][:200]
            del contestants[name]
    texts = {name: list(write_text(tokens)) for name, write_text in contestants.items()}
    expected = texts["generate fp32"]
    require(len(expected) == tokens, f"the text ends after {len(expected)} tokens; take another prompt")
    times = in_turn({name: partial(per_token, writer, tokens) for name, writer in contestants.items()}, ROUNDS)
    return {
        "parameters": source.model.num_parameters(),
        "tokens": tokens,
        "timings": speeds(times, 1, digits=1),
        "same_text_as_fp32": {name: text == expected for name, text in texts.items()},
        "ours_over_theirs": ratios(times, OURS),
        "failed": failed,
        "bits_per_byte": bits_per_byte(source),
    }


def per_token(write_text: Callable[[int], object], tokens: int) -> float:
    """Return the seconds of one token more."""

    def repeated(count: int) -> float:
        return seconds(lambda: [write_text(count) for _ in range(repeats)])

    write_text(1)  # a precision that others were asked for since is made ready again
    repeats = 1
    while (long := repeated(tokens)) < 0.5:
        repeats *= 4
    return (long - repeated(1)) / repeats / (tokens - 1)


def contestants_of(source: Source, scratch: Path) -> dict[str, Callable[[int], object]]:
    """Return {name: what writes so many tokens greedily}."""
    ids = torch.tensor([source.ids(PROMPT)])

    def ours(precision):
        settings = {"do_sample": False, "precision": precision}
        return lambda tokens: list(decode(source.model, ids[0].tolist(), GenerationSettings(tokens, **settings)))

    def generate(model, **more):
        mask, end = torch.ones_like(ids), source.ends[0]

        def write_text(tokens):
            output = model.generate(
                ids, attention_mask=mask, do_sample=False, max_length=ids.shape[1] + tokens, pad_token_id=end, **more
            )  # fmt: skip
            return output[0, ids.shape[1] :].tolist()

        return write_text

    compiled = CompileConfig(mode="default")
    compiled._compile_all_devices = True  # transformers compiles on accelerators alone unless told so
    found = dict(zip(OURS, map(ours, KINDS)))
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = copy.deepcopy(source.model).to(kind)
        found[f"generate {name}"] = generate(model)
        found[f"generate {name}, static cache"] = generate(model, cache_implementation="static", disable_compile=True)
        found[f"generate {name}, static cache, compiled"] = generate(
            copy.deepcopy(model), cache_implementation="static", compile_config=compiled
        )
    return found | engines(source, scratch)


def engines(source: Source, scratch: Path) -> dict[str, Callable[[int], object]]:
    """Return the other programs that are installed, by name; what is missing is said."""
    found = {}

    def writer(engine):
        return lambda tokens: engine.continue_text(PROMPT, tokens).new_ids

    for form, name in (("gguf", "llama.cpp"), ("onnx", "ONNX Runtime"), ("openvino", "OpenVINO")):
        folder = scratch / f"{source.name}-{form}"
        try:
            require_packages(form)
            folder.mkdir()
            write(form, source, folder)
            if form == "gguf":
                for weights in ("f32", "f16", "q8_0"):
                    cache = "f32" if weights == "f32" else "f16"
                    found[f"llama.cpp {weights}"] = writer(LlamaCpp(folder / gguf_name(weights), source.context, cache))
            else:
                found[f"{name} fp32"] = writer(start(form, source, folder))
        except UserError as error:
            logger.warning("%s is skipped: %s", name, error)
    return found


def bits_per_byte(source: Source) -> dict[str, float]:
    """Return the held-out text's bits per byte with the weights of each precision, and how much rounding changes it."""
    ids = encode_document(source.tokenizer, source.text)
    lengths = source_byte_lengths(source.tokenizer, [ids[1:]], len(source.text.encode("utf-8")))
    measured = {
        precision: evaluate_tokens(
            as_read(source.model, precision).eval(), ids, lengths,
            stride=source.context // 2, context=source.context, max_tokens=20_000,
        ).bits_per_byte
        for precision in KINDS
    }  # fmt: skip
    return measured | {f"{name}_change": value / measured["fp32"] - 1 for name, value in measured.items()}
