"""Measure what the README and the lab notebook quote.

Writes result.json.

    hf-llm benchmark verdict --output_dir results/verdict

verdict         bits per byte on the last 10 % of The Verdict, five seeds
verdict-folds   the same recipe against byte n-grams, each tenth of the story held out in turn
dom-casmurro    bits per byte on the last 10 % of Dom Casmurro, three seeds, beside byte n-grams and LZMA
verdict-sweep   how its configuration was chosen, on the first 90 %
shakespeare     nanoGPT's CPU recipe on Tiny Shakespeare, three seeds
training-speed  our loop, Trainer and a bare loop on the same work
two-processes   two processes of one thread against one of two, GPT-2 small
precision       whether bf16 and compiled steps end with the loss of fp32, three seeds
generation      tokens a second of greedy text: ours, generate() in each of its ways, llama.cpp and others
tokenizer       BPE training and encoding of 100 MB: ours, tokenizers, transformers, tiktoken, sentencepiece
startup         from the command to its first output: import, help, one token, beside transformers and accelerate
memory          peak memory and seconds a step of GPT-2 large: ours and transformers.Trainer
planner         predicted against measured memory
mnist           test accuracy of the recipes in configs/mnist, three seeds each
mnist-speed     the default MLP, and the same net on a DataLoader
loop-cost       train(run=None) against a minimal PyTorch loop
app-speed       how long a visitor of the web app waits
app-load        a class of 100 at the web app for five minutes, and three attacks on it
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hf_llm.config import command, parse, setting

Name = Literal[
    "verdict",
    "verdict-folds",
    "dom-casmurro",
    "verdict-sweep",
    "shakespeare",
    "training-speed",
    "two-processes",
    "precision",
    "generation",
    "tokenizer",
    "startup",
    "memory",
    "planner",
    "mnist",
    "mnist-speed",
    "loop-cost",
    "app-load",
    "app-speed",
]


@dataclass
class BenchmarkConfig:
    name: Name = setting(..., "what to measure", positional=True)
    output_dir: str = setting(..., "folder for result.json")


@command
def main() -> None:
    config = parse(BenchmarkConfig, description=__doc__)
    benchmark = importlib.import_module(f"hf_llm.benchmarks.{config.name.replace('-', '_')}")
    benchmark.run(Path(config.output_dir))
