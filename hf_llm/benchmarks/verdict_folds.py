"""The Verdict by ten-fold cross-validation: the committed recipe against byte n-grams, each tenth held out in turn.

One held-out tenth is 2 KB, which says little: another tenth is easier or harder by more than methods differ. Ten of
them are the whole story, and in the difference fold by fold what a tenth is like cancels out.

What stands before the tenth and what stands behind it are two documents, so that no token and no n-gram reaches over
the gap. The tokenizer, the model and the n-grams learn from these two alone. Scored are the last weights: the best ones
would be picked on the tenth that they are scored on. Order and discount of the n-grams are chosen anew for each fold,
within what they learn from; the recipe is one for all, and `verdict_sweep` chose it on the first nine tenths.
"""

import dataclasses
import math
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.data import Text, read_text
from hf_llm.evaluation.baselines import corpus_baselines
from hf_llm.evaluation.intervals import mean_interval
from hf_llm.recipes.pretrain import make_task, model_shape
from hf_llm.tokenization.bpe_dropout import encodings_with_dropout
from hf_llm.tokenization.corpus import ENCODINGS, Corpus
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import begin_documents, encode_document, train_bpe
from hf_llm.training.config import PretrainConfig
from hf_llm.training.loop import train

FOLDS = 10
METHODS = ("gpt2", "ngram", "compressor")


def run(output_dir: Path) -> None:
    """Train the committed recipe once a fold and write result.json; fifteen minutes on a quiet machine."""
    config, text = recipe(PretrainConfig, "gpt2/verdict", sample_tokens=1), read_text("the-verdict")
    data = {"name": text.name, "sha256": text.sha256, "bytes": text.bytes}
    write_result(output_dir, config=dataclasses.asdict(config), data=data, **cross_validate(text, config))


def cross_validate(text: Text, config: PretrainConfig, folds: int = FOLDS) -> dict:
    """Return a row for each fold, each method's mean over them, and how far GPT-2 is above the others, fold by fold.

    The intervals are Student's over folds. Trainings share most of their text, so they are a little too narrow (Bengio,
    Grandvalet 2004).
    """
    rows = []
    for fold in tqdm(range(folds), desc="folds", disable=None):
        rows.append({"fold": fold + 1, **measure(fold_corpus(text, fold, folds, config), config)})
        bits = ", ".join(f"{method} {rows[-1][method]['bits_per_byte']:.3f}" for method in METHODS)
        tqdm.write(f"fold {fold + 1}: {bits}")
    bits = {method: np.array([row[method]["bits_per_byte"] for row in rows]) for method in METHODS}
    return {
        "scored": "the last weights: no step was picked on the tenth that is scored",
        "chosen": "the n-grams within each fold's training part; the recipe on the story's first nine tenths",
        "bits_per_byte": {method: _summary(bits[method]) for method in METHODS},
        "gpt2_above": {method: _summary(bits["gpt2"] - bits[method]) for method in METHODS[1:]},
        "folds": rows,
    }


def fold_corpus(text: Text, fold: int, folds: int, config: PretrainConfig) -> Corpus:
    """Return the text without its tenth number `fold`, from 0, as training part, and that tenth as validation part."""
    start, end = (math.floor(len(text.text) * cut / folds) for cut in (fold, fold + 1))
    sides, held_out = [side for side in (text.text[:start], text.text[end:]) if side], text.text[start:end]
    tokenizer = begin_documents(train_bpe(sides, config.vocab_size))
    encodings = [
        encodings_with_dropout(tokenizer, side, config.bpe_dropout, ENCODINGS, config.seed) for side in sides
    ]  # of each side, equally many
    arrays = [np.concatenate(once) for once in zip(*encodings, strict=True)]
    return Corpus(
        name=f"{text.name} without characters {start} to {end}", sha256=text.sha256, bytes=text.bytes,
        validation_bytes=len(held_out.encode("utf-8")), held_out=f"characters {start} to {end}", tokenizer=tokenizer,
        train=TokenArray(arrays), encodings=len(arrays),
        validation=TokenArray([encode_document(tokenizer, held_out)]),
    )  # fmt: skip


def measure(corpus: Corpus, config: PretrainConfig) -> dict:
    """Return what GPT-2, the n-grams and the compressor need for the validation part of `corpus`."""
    beside = corpus_baselines(corpus)
    task = make_task(config, corpus, model_shape(config, corpus))
    result = train(task, config)
    curve = [(r["bits_per_byte"], r["step"]) for r in result.records if "bits_per_byte" in r]
    best, step = min(curve)
    return {
        "held_out": corpus.held_out,
        **beside,
        "gpt2": {
            **task.scores(config.eval_stride),
            "step": result.progress.step,
            "best_while_training": {"bits_per_byte": best, "step": step, "eval_stride": max(1, task.context // 2)},
        },
        "timings": {"seconds": round(result.progress.seconds, 1)},
    }


def _summary(values: np.ndarray) -> dict:
    interval = mean_interval(values)
    return {"mean": round(interval.mean, 4), "interval_95": [round(bound, 4) for bound in interval.bounds]}
