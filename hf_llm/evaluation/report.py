"""Everything that is measured about one model and one text, ready for JSON."""

from dataclasses import asdict

from hf_llm.config import require, written
from hf_llm.data import read_text, split_text
from hf_llm.evaluation.baselines import baselines
from hf_llm.evaluation.bits_per_byte import evaluate_tokens
from hf_llm.evaluation.config import EvaluateConfig
from hf_llm.evaluation.memorisation import memorisation
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.generation.inference import require_own_tokenizer
from hf_llm.models.context import context_length
from hf_llm.models.loading import load_causal_lm
from hf_llm.tokenization.byte_lengths import source_byte_lengths
from hf_llm.tokenization.lossless import changes, say_changes
from hf_llm.tokenization.tokenizer import encode_document, load_tokenizer

UNBOUNDED_CONTEXT = 1024  # tokens a window for a model whose context nothing bounds; GPT-2's own


def evaluate_language_model(config: EvaluateConfig) -> dict:
    """Score `config.model` on a part of `config.corpus`, and measure what a sample of it copies.

    Returns:
        The corpus and its hash, the fields of `LanguageModelScores`, `baselines` on the same bytes, with what they
        learned from, and `memorisation`: the prompt, the sample, its measures against the training part, and under
        `held_out` those of as many characters of the validation part.

    Raises:
        UserError: When model, tokenizer, corpus or settings do not fit together.
    """
    corpus = read_text(config.corpus)
    training, validation = split_text(corpus.text, config.validation_fraction)
    part = {"train": training, "validation": validation, "all": corpus.text}[config.split]
    require(
        part != "" and (training != "" or config.split == "all"),
        f"{config.corpus} is too short to be split for training and validation; "
        f"take a longer text, or score it whole: {written('split')} all",
    )
    model, tokenizer = load_causal_lm(config.model), load_tokenizer(config.model)
    require_own_tokenizer(model, tokenizer)
    context = context_length(model) or UNBOUNDED_CONTEXT
    ids = encode_document(tokenizer, part)
    found = changes(tokenizer, part, ids[1:])
    say_changes(corpus.name, found)
    lengths = source_byte_lengths(tokenizer, [ids[1:]], len(part.encode("utf-8")))
    scores = evaluate_tokens(
        model, ids, lengths, context=context,
        stride=config.eval_stride or max(1, context // 2), max_tokens=config.eval_tokens, interval=True,
    )  # fmt: skip
    settings = GenerationSettings(max_new_tokens=config.max_new_tokens, temperature=1.0, seed=config.seed)
    sample = generate(model, tokenizer, config.prompt, settings).text
    return {
        "model": config.model, "corpus": corpus.name, "corpus_sha256": corpus.sha256,
        "read": corpus.reading.facts(), "split": config.split,
        **({"tokenizer_changes": found.sentence()} if found else {}), "context": context, **asdict(scores),
        "baselines": _baselines(config, training, part, scores.bytes),
        "memorisation": {
            "prompt": config.prompt, "sample": sample, "seed": config.seed, **memorisation(sample, training),
            "held_out": memorisation(validation[: len(sample)], training),
        },
    }  # fmt: skip


def _baselines(config: EvaluateConfig, training: str, part: str, scored_bytes: int) -> dict:
    """Return the baselines of the bytes that the model was scored on, or why there are none.

    What a model of others was trained on is not known; these learn from the corpus alone, as a model of ours does.
    """
    if config.split != "validation":
        use = f"use {written('split')} validation"
        return {"left_out": f"they would learn from the text that they are scored on; {use}"}
    trained_on = f"the first {1 - config.validation_fraction:.3g} of {config.corpus}"
    return {"trained_on": trained_on, **baselines(training.encode("utf-8"), part.encode("utf-8")[:scored_bytes])}
