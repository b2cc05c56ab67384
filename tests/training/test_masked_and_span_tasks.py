"""Masked LM and span corruption: what is hidden, the loss, accumulation, evaluation, and that they learn."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, T5Config, T5ForConditionalGeneration

from hf_llm.tokenization.tokenizer import encode
from hf_llm.training.config import TrainingConfig
from hf_llm.training.loop import train
from hf_llm.training.masked_lm import HIDDEN, MASK, RANDOM, MaskedLM, hide, with_mask_token
from hf_llm.training.sequence_to_sequence import SequenceToSequence, cut, draw_spans, spans_of, with_sentinels

CONTEXT, BATCH = 32, 8


def make_task(kind, corpus, micro=BATCH, seed=3, world_size=1):
    torch.manual_seed(0)
    settings = dict(context=CONTEXT, stride=1, total_batch_size=BATCH, per_device_batch_size=micro, seed=seed,
                    world_size=world_size, eval_tokens=600)  # fmt: skip
    if kind == "masked":
        tokenizer = with_mask_token(corpus.tokenizer)
        config = BertConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=CONTEXT, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0, pad_token_id=None,
        )  # fmt: skip
        return MaskedLM(BertForMaskedLM(config), corpus, tokenizer, **settings)
    tokenizer = with_sentinels(corpus.tokenizer, spans_of(CONTEXT)[1])
    config = T5Config(
        vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_decoder_layers=1, num_heads=2,
        dropout_rate=0.0, pad_token_id=0, eos_token_id=0, decoder_start_token_id=0,
    )  # fmt: skip
    return SequenceToSequence(T5ForConditionalGeneration(config), corpus, tokenizer, **settings)


def make_config(**changes):
    settings = {
        "max_steps": 20, "total_batch_size": BATCH, "per_device_train_batch_size": BATCH, "warmup_steps": 0,
        "threads": 1, "precision": "fp32", "eval_steps": 1000, "logging_steps": 1, "weight_decay": 0.0,
    }  # fmt: skip
    return TrainingConfig(**{**settings, **changes})


BOTH = pytest.mark.parametrize("kind", ["masked", "spans"])


@BOTH
def test_accumulation_equals_the_big_batch(sample_corpus, kind):
    def run(micro, double=False):
        task = make_task(kind, sample_corpus[0], micro)
        if double:
            task.model.double()
        result = train(task, make_config(per_device_train_batch_size=micro))
        return [r["loss"] for r in result.records], torch.cat([p.flatten() for p in task.model.parameters()])

    (big, _), (accumulated, _) = run(8), run(2)
    assert len(big) == 20
    assert accumulated == pytest.approx(big, rel=1e-6)
    (_, big), (_, accumulated) = run(8, double=True), run(2, double=True)
    assert (big - accumulated).norm() <= 1e-9 * big.norm()


@BOTH
def test_transformers_own_loss_ignores_the_items_of_the_step(sample_corpus, kind):
    task = make_task(kind, sample_corpus[0])
    batch = task.batch(0, 0, 0)
    n, own = task.items(batch), task.model(**batch, num_items_in_batch=10**6).loss.item()
    assert task.loss(task.model, batch, n).item() == pytest.approx(own, rel=1e-6)
    assert task.loss(task.model, batch, 2 * n).item() == pytest.approx(own / 2, rel=1e-6)


@BOTH
def test_a_batch_depends_on_seed_and_place_alone(sample_corpus, kind):
    whole = make_task(kind, sample_corpus[0]).batch(4, 0, 0)
    shared = make_task(kind, sample_corpus[0], micro=2, world_size=2)
    parts = [shared.batch(4, micro, rank) for micro in (0, 1) for rank in (0, 1)]
    for name, tensor in whole.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), tensor)
    for other in (
        make_task(kind, sample_corpus[0], seed=4).batch(4, 0, 0),
        make_task(kind, sample_corpus[0]).batch(5, 0, 0),
    ):
        assert not torch.equal(other["labels"], whole["labels"])


@BOTH
def test_it_learns_and_evaluation_repeats(sample_corpus, kind):
    task = make_task(kind, sample_corpus[0])
    before = task.evaluate(task.model)
    assert before == task.evaluate(task.model)
    train(task, make_config(max_steps=80, learning_rate=1e-2))
    task.model.train()
    after = task.evaluate(task.model)
    assert task.model.training
    assert after["validation_loss"] < before["validation_loss"] - 0.5
    assert after["bits_per_byte"] < before["bits_per_byte"]


def test_evaluation_is_the_mean_over_hidden_tokens(sample_corpus):
    task = make_task("masked", sample_corpus[0])
    starts = range(0, min(len(task.validation), task.eval_tokens) - CONTEXT + 1, CONTEXT)
    windows = [task.validation.window(start, CONTEXT) for start in starts]
    pairs = [hide(window, task.tokenizer, np.random.default_rng([0, CONTEXT * i])) for i, window in enumerate(windows)]
    inputs, labels = (torch.from_numpy(np.stack(part)) for part in zip(*pairs))
    loss = F.cross_entropy(task.model.eval()(input_ids=inputs).logits.flatten(0, 1), labels.flatten()).item()
    assert task.evaluate(task.model)["validation_loss"] == pytest.approx(loss, rel=1e-5)


def test_eighty_ten_ten(sample_corpus):
    tokenizer = with_mask_token(sample_corpus[0].tokenizer)
    window = np.full(10_000, 77)
    inputs, labels = hide(window, tokenizer, np.random.default_rng(0))
    hidden = labels != -100
    assert hidden.sum() == round(HIDDEN * len(window))
    assert (labels[hidden] == 77).all()
    assert (inputs[~hidden] == 77).all()
    masked, kept = (inputs[hidden] == tokenizer.mask_token_id).mean(), (inputs[hidden] == 77).mean()
    assert masked == pytest.approx(MASK, abs=0.04)
    assert kept == pytest.approx(1 - MASK - RANDOM, abs=0.04)


def test_input_and_target_together_are_the_window(sample_corpus):
    tokenizer = with_sentinels(sample_corpus[0].tokenizer, spans_of(64)[1])
    sentinels = tokenizer.convert_tokens_to_ids([f"<extra_{n}>" for n in range(spans_of(64)[1])])
    window = np.arange(1, 65)
    lengths = set()
    for seed in range(20):
        spans = draw_spans(64, np.random.default_rng(seed))
        lengths |= {end - start for start, end in spans}
        left, target = cut(window, spans, tokenizer)
        assert (len(left), len(target)) == (64 - 10 + 3, 10 + 3 + 1)  # 15 % of 64 in spans of three
        pieces, current = {}, None
        for token in target[:-1]:
            if token in sentinels:
                current = pieces.setdefault(token, [])
            else:
                current.append(token)
        filled = [token for place in left for token in pieces.get(place, [place])]
        assert filled == window.tolist()
        assert target[-1] == 0
    assert len(lengths) > 2  # one sentinel for spans of several lengths


def test_the_decoder_never_reads_what_it_is_to_write(sample_corpus):
    task = make_task("spans", sample_corpus[0])
    batch = task.batch(0, 0, 0)
    task.model.eval()
    before = task.model(input_ids=batch["input_ids"], decoder_input_ids=batch["decoder_input_ids"]).logits
    changed = batch["decoder_input_ids"].clone()
    changed[:, 3:] = 5
    after = task.model(input_ids=batch["input_ids"], decoder_input_ids=changed).logits
    assert torch.equal(before[:, :3], after[:, :3])
    assert torch.equal(batch["decoder_input_ids"][:, 1:], batch["labels"][:, :-1])


def test_the_extended_tokenizers_save_load_and_never_read_the_new_tokens_from_a_text(sample_corpus, tmp_path):
    plain = sample_corpus[0].tokenizer
    for tokenizer, new in ((with_mask_token(plain), "<mask>"), (with_sentinels(plain, 2), "<extra_1>")):
        tokenizer.save_pretrained(tmp_path)
        loaded = AutoTokenizer.from_pretrained(tmp_path)
        assert loaded.convert_tokens_to_ids(new) == len(loaded) - 1 == len(tokenizer) - 1
        assert len(loaded) - 1 not in encode(tokenizer, f"a {new} b")
    assert plain.convert_tokens_to_ids("<mask>") is None
