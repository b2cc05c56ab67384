"""Token by token: the probability of each token before fine-tuning and after it, for the same text before it."""

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, below
from hf_llm.experiments.frame.charts import COLOURS, Figure, label, new_figure
from hf_llm.experiments.pretrained_vs_finetuned.other_corpus import chosen, searches
from hf_llm.experiments.pretrained_vs_finetuned.starts import base_of
from hf_llm.experiments.pretrained_vs_finetuned.training import CONTEXT, grid_of, reader, setup_of, story
from hf_llm.generation.config import GenerationSettings
from hf_llm.generation.generate import generate
from hf_llm.tokenization.readable import readable, token_bytes

START = "pretrained"
HALF = 0.5
CONCENTRATED = 0.25  # of all changes in a tenth of the tokens; spread evenly, it would have 0.1
PROMPT = "I had always thought"


def measure(study: Study) -> Tables:
    """Compare the pretrained model with each of its fine-tunings on The Verdict, which other_corpus.py has trained."""
    setup, rows, written = setup_of(study), [], []
    rates = chosen({"story_rates": searches(setup)}).set_index("start")["rate"]
    rate, before = rates[START], base_of(setup, START).model
    seeds = list(study.seeds)
    for place, seed in enumerate(study.track(seeds)):
        after = reader(setup, START, rate, seed).model
        other = reader(setup, START, rate, seeds[place - 1]).model  # the same text in another order
        ids = story(setup, START).test
        rows.append({"seed": seed} | shift(before, after, ids) | {"moved_by_order": shift(other, after, ids)["moved"]})
        if seed == seeds[0]:
            written += writing(setup, {"pretrained": before, "finetuned": after}, seed)
    return {"shift": pd.DataFrame(rows), "written": pd.DataFrame(written)}


@torch.inference_mode()
def shift(before: PreTrainedModel, after: PreTrainedModel, ids: np.ndarray) -> dict[str, float]:
    """Return what differs between two models that read the same text, on average over its tokens.

    `same_first`: the share of places where both name the same likeliest token; `moved`: the probability that went to
    other tokens (total variation distance, 0 to 1); `likelier`: the share of the text's tokens that became likelier;
    `gain`: by how many bits; `tenth`: what share of all changes (in bits, without their sign) the tenth of the tokens
    with the largest ones has.
    """
    count = min(CONTEXT, len(ids) - 1) * ((len(ids) - 1) // min(CONTEXT, len(ids) - 1))
    windows = torch.from_numpy(ids[:count].astype(np.int64)).view(-1, min(CONTEXT, len(ids) - 1))  # (N, T)
    follows = torch.from_numpy(ids[1 : count + 1].astype(np.int64)).view_as(windows)
    mask = torch.ones_like(windows)
    old, new = (
        model(windows, attention_mask=mask).logits.log_softmax(-1) for model in (before, after)
    )  # (N, T, vocab)
    picked = [each.gather(-1, follows[..., None])[..., 0] / np.log(2) for each in (old, new)]  # bits, (N, T)
    change = (picked[1] - picked[0]).flatten().double()
    largest = change.abs().sort(descending=True).values[: max(1, len(change) // 10)]
    return {
        "same_first": (old.argmax(-1) == new.argmax(-1)).double().mean().item(),
        "moved": (0.5 * (old.exp() - new.exp()).abs().sum(-1)).double().mean().item(),
        "likelier": (change > 0).double().mean().item(),
        "gain": change.mean().item(),
        "tenth": (largest.sum() / change.abs().sum().clamp_min(1e-12)).item(),
    }


@torch.inference_mode()
def writing(study: Study, models: dict[str, PreTrainedModel], seed: int) -> list[dict]:
    """Let both models continue PROMPT with one seed; return a row for each token with its probability under both."""
    tokenizer, rows = base_of(study, START).tokenizer, []
    settings = GenerationSettings(max_new_tokens=grid_of(study).written, seed=seed)
    for writer, model in models.items():
        result = generate(model, tokenizer, PROMPT, settings)
        ids = torch.tensor([[*result.prompt_ids, *result.token_ids]])  # (1, T)
        first = len(result.prompt_ids)
        probabilities = {
            name: each(ids, attention_mask=torch.ones_like(ids)).logits[0].softmax(-1) for name, each in models.items()
        }  # each (T, vocab)
        words = tokenizer.convert_ids_to_tokens(result.token_ids)
        rows += [
            {"writer": writer, "place": place, "token": readable(token_bytes(words[place])),
             **{name: probabilities[name][first + place - 1, id].item() for name in models}}
            for place, id in enumerate(result.token_ids)
        ]  # fmt: skip
    return rows


def findings(tables: Tables) -> list[Finding]:
    table = tables["shift"]
    return [
        above("same_first", table["same_first"], HALF, scale="logit"),
        above("likelier", table["likelier"], HALF, scale="logit"),
        above("few_tokens_change", table["tenth"], CONCENTRATED, scale="logit"),
        below("order_moves_less", table["moved_by_order"] / table["moved"], 1.0, scale="log"),
    ]


def draw(tables: Tables, say: Say) -> Figure:
    """The probability of each token that a model wrote, under both: a panel for each writer."""
    figure, axes = new_figure(2, 1, width=9, height=2.7)
    for axis, (writer, rows) in zip(axes[:, 0], tables["written"].groupby("writer", sort=False)):
        for number, name in enumerate(("pretrained", "finetuned")):
            axis.bar(
                rows["place"] + 0.4 * number, rows[name], width=0.4, color=COLOURS[number], label=say(f"names.{name}")
            )
        axis.set_xticks(rows["place"] + 0.2, rows["token"], rotation=60, fontsize=8)
        axis.set_ylim(0, 1)
        label(axis, "", say("figures.probability"), say("figures.writer", writer=say(f"names.{writer}")))
    return figure


def changes(tables: Tables) -> pd.DataFrame:
    """Return the means over the seeds, one row."""
    columns = ["same_first", "moved", "moved_by_order", "likelier", "gain", "tenth"]
    return tables["shift"][columns].mean().to_frame().T.round(3)


FIGURES = {"token_by_token": draw}
SUMMARIES = {"changes": changes}
