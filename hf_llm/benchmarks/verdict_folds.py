"""The Verdict by ten-fold cross-validation: two recipes against byte n-grams, each tenth held out in turn.

One held-out tenth is 2 KB, which says little: another tenth is easier or harder by more than methods differ. Ten of
them are the whole story, and in the difference fold by fold what a tenth is like cancels out.

What stands before the tenth and what stands behind it are two documents, so that no token and no n-gram reaches over
the gap. The tokenizer, the model and the n-grams learn from these two alone. Scored are the last weights: the best ones
would be picked on the tenth that they are scored on. Order and discount of the n-grams are chosen anew for each fold,
within what they learn from. `gpt2/verdict` is one recipe for all folds, and `verdict_sweep` chose it on the first nine
tenths. `gpt2/verdict-ngram-text` reads what n-grams of its training part write as well; what it has of its own was
chosen on pieces of Dom Casmurro of the same length (docs/lab-notebook.md): no tenth of The Verdict had a part in it.
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
from hf_llm.tokenization.corpus import Corpus, with_more_to_read
from hf_llm.tokenization.token_array import TokenArray
from hf_llm.tokenization.tokenizer import begin_documents, encode_document, train_bpe
from hf_llm.training.config import PretrainConfig
from hf_llm.training.loop import train

FOLDS = 10
RECIPES = {"gpt2": "gpt2/verdict", "gpt2_ngram_text": "gpt2/verdict-ngram-text"}
BASELINES = ("ngram", "compressor")


def run(output_dir: Path) -> None:
    """Train both committed recipes once a fold and write result.json; half an hour on a quiet machine."""
    text = read_text("the-verdict")
    configs = {name: recipe(PretrainConfig, file, sample_tokens=1) for name, file in RECIPES.items()}
    data = {"name": text.name, "sha256": text.sha256, "bytes": text.bytes}
    settings = {name: dataclasses.asdict(config) for name, config in configs.items()}
    write_result(output_dir, configs=settings, data=data, **cross_validate(text, configs))


def cross_validate(text: Text, configs: dict[str, PretrainConfig], folds: int = FOLDS) -> dict:
    """Return a row for each fold, each method's mean, and how far each recipe is above what only counts, fold by fold.

    The intervals are Student's over folds. Trainings share most of their text, so they are a little too narrow (Bengio,
    Grandvalet 2004).
    """
    rows, methods = [], [*configs, *BASELINES]
    for fold in tqdm(range(folds), desc="folds", disable=None):
        rows.append({"fold": fold + 1, **measure(text, fold, folds, configs)})
        tqdm.write(
            f"fold {fold + 1}: " + ", ".join(f"{name} {rows[-1][name]['bits_per_byte']:.3f}" for name in methods)
        )
    bits = {method: np.array([row[method]["bits_per_byte"] for row in rows]) for method in methods}
    return {
        "scored": "the last weights: no step was picked on the tenth that is scored",
        "chosen": "the n-grams within each fold's training part",
        "bits_per_byte": {method: _summary(bits[method]) for method in methods},
        "above": {name: {other: _summary(bits[name] - bits[other]) for other in BASELINES} for name in configs},
        "folds": rows,
    }


def fold_corpus(text: Text, fold: int, folds: int, config: PretrainConfig) -> Corpus:
    """Return the text without its tenth number `fold`, from 0, as training part, and that tenth as validation part."""
    start, end = (math.floor(len(text.text) * cut / folds) for cut in (fold, fold + 1))
    sides, held_out = [side for side in (text.text[:start], text.text[end:]) if side], text.text[start:end]
    tokenizer = begin_documents(train_bpe(sides, config.vocab_size))
    corpus = Corpus(
        name=f"{text.name} without characters {start} to {end}", sha256=text.sha256, bytes=text.bytes,
        validation_bytes=len(held_out.encode("utf-8")), held_out=f"characters {start} to {end}", tokenizer=tokenizer,
        train=TokenArray([np.concatenate([encode_document(tokenizer, side) for side in sides])]),
        validation=TokenArray([encode_document(tokenizer, held_out)]),
    )  # fmt: skip
    return with_more_to_read(corpus, sides, config.bpe_dropout, config.ngram_text, config.seed)


def measure(text: Text, fold: int, folds: int, configs: dict[str, PretrainConfig]) -> dict:
    """Return what each recipe, the n-grams and the compressor need for the tenth that is held out."""
    row = {}
    for name, config in configs.items():
        corpus = fold_corpus(text, fold, folds, config)
        row = row or {"held_out": corpus.held_out, **corpus_baselines(corpus)}
        task = make_task(config, corpus, model_shape(config, corpus))
        result = train(task, config)
        curve = [(r["bits_per_byte"], r["step"]) for r in result.records if "bits_per_byte" in r]
        best, step = min(curve)
        row[name] = {
            **task.scores(config.eval_stride),
            "step": result.progress.step,
            "best_while_training": {"bits_per_byte": best, "step": step, "eval_stride": max(1, task.context // 2)},
            "timings": {"seconds": round(result.progress.seconds, 1)},
        }
    return row


def _summary(values: np.ndarray) -> dict:
    interval = mean_interval(values)
    return {"mean": round(interval.mean, 4), "interval_95": [round(bound, 4) for bound in interval.bounds]}
