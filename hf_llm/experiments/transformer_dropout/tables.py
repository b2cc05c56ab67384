"""The tables of `transformer-dropout`, from its runs: {(setting, p, seed): what `train_cell` returns}."""

import numpy as np

from hf_llm.experiments.result import Table
from hf_llm.experiments.seed_comparison import DIGITS, with_bounds
from hf_llm.experiments.transformer_dropout.cells import CURVES, Study, TextParts
from hf_llm.experiments.transformer_dropout.library import library_rows
from hf_llm.experiments.transformer_dropout.measures import (
    PLAIN,
    best_test,
    best_validation,
    gap,
    measured,
    picked,
    rise,
)
from hf_llm.experiments.transformer_dropout.sites import NAMED, SETTINGS, SITES, dropping_gpt2, places
from hf_llm.experiments.transformer_dropout.words import DROPPED, NONE, SETTING_NAMES, TABLES
from hf_llm.experiments.words import TRUTH
from hf_llm.tokenization.readable import readable, token_bytes

MODES = (
    "evaluation", "training", "averaged", "spread", "same_token", "entropy", "entropy_of_pass", "entropy_averaged",
    "row_sum", "row_off",
)  # fmt: skip
CONTEXT_SHOWN = 12  # tokens of the passage before the next token


def make_tables(runs: dict, parts: TextParts, study: Study, seeds: list[int]) -> dict[str, Table]:
    """Return all tables by name, in the order of the report."""
    rows = {
        "sites": site_rows(study),
        "summary": summary_rows(runs, study, seeds),
        "modes": mode_rows(runs, study, seeds),
        "library": library_rows(),
        "next_token": next_token_rows(runs, parts, study, seeds[0]),
        "curves": curve_rows(runs, study, seeds),
    }
    return {name: Table(*TABLES[name], rows[name]) for name in rows}


def settings_of(study: Study) -> list[tuple[str, float]]:
    """Return every setting with its p, first the one that drops nothing."""
    return [PLAIN, *((setting, p) for setting in SETTINGS for p in study.probabilities)]


def _start(setting: str, p: float) -> dict:
    """Return what every row about trained models begins with."""
    return {"setting": setting if p else "none", "name": SETTING_NAMES[setting] if p else NONE, "p": p}


def site_rows(study: Study) -> list[dict]:
    """Return what each site is: its modules, and how many values are drawn for one window of text."""
    model = dropping_gpt2({**study.shape, "vocab_size": study.vocab_size}, *PLAIN, seed=0)
    tokens, width, heads = (study.shape[name] for name in ("n_positions", "n_embd", "n_head"))
    rows = []
    for site, module in SITES.items():
        modules = len(places(model, site))
        values = heads * tokens * tokens if site == "attention" else tokens * width
        rows.append({
            "site": site, "name": SETTING_NAMES[site], "module": module, "modules": modules, "dropped": DROPPED[site],
            "values": modules * values, "named": site in NAMED, "named_text": TRUTH[site in NAMED],
        })  # fmt: skip
    return rows


def summary_rows(runs: dict, study: Study, seeds: list[int]) -> list[dict]:
    """Return one row for each setting: its best step and its last one, in bits per byte."""
    rows = []
    for setting, p in settings_of(study):

        def mean(measure, setting=(setting, p)) -> float:
            return round(float(measured(runs, setting, seeds, measure).mean()), DIGITS)

        test = measured(runs, (setting, p), seeds, best_test)
        gains = with_bounds("gain", measured(runs, PLAIN, seeds, best_test) - test)
        rows.append({
            **_start(setting, p),
            "picked": p == picked(runs, study, setting, seeds) if p else None,
            "kept_step": round(mean(lambda run: run["step"][run["kept"]])),
            "best_validation": mean(best_validation),
            **with_bounds("best_test", test),
            **(gains if p else dict.fromkeys(gains)),
            "train": mean(lambda run: run["train"][-1]),
            "validation": mean(lambda run: run["validation"][-1]),
            "test": mean(lambda run: run["test"][-1]),
            **with_bounds("gap", measured(runs, (setting, p), seeds, gap)),
            "rise": mean(rise),
        })  # fmt: skip
    return rows


def mode_rows(runs: dict, study: Study, seeds: list[int]) -> list[dict]:
    """Return what both modes predict by the last weights, with intervals in the data."""
    rows = []
    for setting, p in settings_of(study):
        row = _start(setting, p)
        for name in MODES:
            row |= with_bounds(name, measured(runs, (setting, p), seeds, lambda run, name=name: run["modes"][name]))
        rows.append(row)
    return rows


def curve_rows(runs: dict, study: Study, seeds: list[int]) -> list[dict]:
    """Return mean, least and greatest value over the seeds at every evaluation."""
    rows = []
    for setting, p in settings_of(study):
        for place, step in enumerate(runs[setting, p, seeds[0]]["step"]):
            row = {**_start(setting, p), "step": step}
            for name in CURVES:
                values = np.array([runs[setting, p, seed][name][place] for seed in seeds])
                for end, value in (("", values.mean()), ("_low", values.min()), ("_high", values.max())):
                    row[f"{name}{end}"] = round(float(value), DIGITS)
            rows.append(row)
    return rows


def next_token_rows(runs: dict, parts: TextParts, study: Study, seed: int) -> list[dict]:
    """Return the likeliest next tokens of one seed's models at the middle p, with their probabilities by pass."""
    words = parts.tokenizer.convert_ids_to_tokens
    context = parts.ids["test"][: study.shape["n_positions"]][-CONTEXT_SHOWN:]
    before = readable(b"".join(map(token_bytes, words(context))))
    rows = []
    for setting in (*SITES, "all"):
        next_token = runs[setting, study.middle, seed]["modes"]["next_token"]
        drawn = np.array(next_token["passes"])  # (passes, tokens)
        for place, (id, evaluation) in enumerate(zip(next_token["ids"], next_token["evaluation"])):
            rows.append({
                **_start(setting, study.middle), "before": before, "token": readable(token_bytes(words(id))),
                "evaluation": round(evaluation, DIGITS), "least": round(float(drawn[:, place].min()), DIGITS),
                "greatest": round(float(drawn[:, place].max()), DIGITS),
                "passes": [round(float(value), DIGITS) for value in drawn[:, place]],
            })  # fmt: skip
    return rows
