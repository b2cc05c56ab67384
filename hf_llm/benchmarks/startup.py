"""Seconds from a command to its end, where all it does is to start: the package, the help, one token of text.

Beside them the same by plain transformers, and the help of the programs that a user has already. The model has the
shape of the demo's; its training counts for nothing here. Each is a process of its own, in turn.
"""

import shutil
import subprocess
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hf_llm.benchmarks.record import in_turn, recipe, seconds, spread, write_result
from hf_llm.config import child_environment, python
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

ROUNDS = 7
PROMPT = "I had always thought"
PIPELINE = (
    "from transformers import pipeline; "
    "print(pipeline('text-generation', model={model!r})({prompt!r}, max_new_tokens=1, do_sample=False))"
)
GENERATE = (
    "from transformers import AutoModelForCausalLM, AutoTokenizer; "
    "tokenizer, model = (kind.from_pretrained({model!r}) for kind in (AutoTokenizer, AutoModelForCausalLM)); "
    "ids = model.generate(**tokenizer({prompt!r}, return_tensors='pt'), max_new_tokens=1, do_sample=False); "
    "print(tokenizer.decode(ids[0]))"
)


def run(output_dir: Path) -> None:
    """Train a model of the demo's shape for a moment, start everything in turn, write result.json; five minutes."""
    with TemporaryDirectory() as scratch:
        shape = recipe(
            PretrainConfig,
            "gpt2/verdict",
            corpus="sample",
            output_dir=f"{scratch}/model",
            max_steps=4,
            bpe_dropout=0.0,
            eval_tokens=64,
        )
        pretrain(shape)
        timings, failed = contest(commands(shape.output_dir))
    write_result(output_dir, rounds=ROUNDS, timings=timings, failed=failed)
    print(timings)


def commands(model: str) -> dict[str, list[str]]:
    """Return {name: command}; a program that is not installed is left out."""
    ours = partial(python, "-m", "hf_llm")
    found = {
        "python, which does nothing": python("-c", ""),
        "import hf_llm": python("-c", "import hf_llm"),
        "hf-llm --help": ours("--help"),
        "hf-llm pretrain --help": ours("pretrain", "--help"),
        "hf-llm generate, one token": ours(
            "generate", "--model", model, "--prompt", PROMPT, "--max_new_tokens", "1", "--do_sample", "False"
        ),
        "transformers pipeline, one token": python("-c", PIPELINE.format(model=model, prompt=PROMPT)),
        "transformers generate, one token": python("-c", GENERATE.format(model=model, prompt=PROMPT)),
    }
    for program in ("transformers", "accelerate"):
        if path := shutil.which(program, path=str(Path(python()[0]).parent)):
            found[f"{program} --help"] = [path, "--help"]
    return found


def contest(commands: dict[str, list[str]]) -> tuple[dict, dict]:
    """Return the median and the longest seconds of each command, and the errors of those that fail."""
    failed = {}
    for name, words in list(commands.items()):  # once before it counts: compiled modules and our step lie on the disk
        process = _started(words)
        if process.returncode:
            failed[name] = (process.stderr.strip().splitlines() or [f"code {process.returncode}"])[-1][:200]
            del commands[name]
    times = in_turn({name: partial(seconds, partial(_started, words)) for name, words in commands.items()}, ROUNDS)
    return {name: spread(taken) for name, taken in times.items()}, failed


def _started(words: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(words, env=child_environment(), capture_output=True, text=True, encoding="utf-8")
