"""Places: what dropout at each site of a GPT-2 is worth on a short text, alone, in pairs, and at all of them.

The probability of a setting is the one with the best validation, and so is each model's step; the test part, which
chose nothing, judges them.
"""

import numpy as np
import pandas as pd

from hf_llm.experiments.frame import Finding, Say, Study, Tables, above, best, by_seed, select
from hf_llm.experiments.frame.charts import COLOURS, Axes, Figure, dots, label, name_of, new_figure
from hf_llm.experiments.frame.charts import curves as draw_curves
from hf_llm.experiments.shared.language_runs import TextParts
from hf_llm.experiments.transformer_dropout.sites import READINGS, SETTINGS, SITES, dropping_gpt2, modules_at
from hf_llm.experiments.transformer_dropout.training import Grid, grid_of, train_cell
from hf_llm.tokenization.readable import readable, token_bytes

WORTH = 0.05  # bits per byte from which a gain counts: about two in a hundred of what the text costs
CONTEXT_SHOWN = 12  # tokens of the passage before the next token
RUN = ["setting", "p", "seed"]  # what tells one training from another


def measure(study: Study) -> Tables:
    """Train the grid. Both modes of each model are looked at here, while it is at hand; `modes` judges them."""
    grid = grid_of(study)
    parts = TextParts.read("the-verdict", grid.vocab_size)
    settings = [("none", 0.0), *((setting, p) for setting in SETTINGS for p in grid.probabilities)]
    curves, modes, next_token = [], [], []
    for seed, (setting, p) in study.track([(seed, one) for seed in study.seeds for one in settings]):
        described = {"setting": setting, "p": p, "seed": seed}
        curve, mode = train_cell(parts, grid, setting, p, seed)
        curves += [described | point for point in curve]
        likeliest = mode.pop("next_token")
        modes.append(described | mode)
        if seed == study.seeds[0] and p == grid.middle and setting in (*SITES, "all"):
            next_token += next_token_rows(parts, grid, setting, likeliest)
    tables = {"curves": curves, "modes": modes, "next_token": next_token, "sites": site_rows(grid)}
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def next_token_rows(parts: TextParts, grid: Grid, setting: str, likeliest: dict) -> list[dict]:
    """Return one row for each of the likeliest tokens and each pass; the passage before it stands in every row."""
    words = parts.corpus.tokenizer.convert_ids_to_tokens
    context = parts.ids["test"][: grid.shape["n_positions"]][-CONTEXT_SHOWN:]
    before = readable(b"".join(map(token_bytes, words(context))))
    return [
        {"setting": setting, "before": before, "token": readable(token_bytes(words(id))), "evaluation": evaluation,
         "pass": number, "training": one_pass[place]}
        for place, (id, evaluation) in enumerate(zip(likeliest["ids"], likeliest["evaluation"]))
        for number, one_pass in enumerate(likeliest["passes"])
    ]  # fmt: skip


def site_rows(grid: Grid) -> list[dict]:
    """Return what each site is: its modules, and how many values are drawn for one window of text."""
    model = dropping_gpt2({**grid.shape, "vocab_size": grid.vocab_size}, "none", 0.0, seed=0)
    tokens, width, heads = (grid.shape[name] for name in ("n_positions", "n_embd", "n_head"))
    values = {site: tokens * width for site in SITES} | {"attention": heads * tokens * tokens}
    counts = {site: len(modules_at(model, site)) for site in SITES}
    return [{"site": site, "modules": counts[site], "values": counts[site] * values[site]} for site in SITES]


def runs(tables: Tables) -> pd.DataFrame:
    """Return one row for each training, in bits per byte.

    Columns: `kept_step`, `best_validation` and `best_test` at the step that validation picks; at the last step,
    `train`, `validation`, `test`, and `gap`, validation minus training, both without dropping; `rise` and
    `test_rise`, from the kept step to the last.
    """
    curves = tables["curves"]
    of_run = curves.groupby(RUN, sort=False)
    kept = curves.loc[of_run["validation"].idxmin()].set_index(RUN)
    last = curves.loc[of_run["step"].idxmax()].set_index(RUN)
    return pd.DataFrame({
        "kept_step": kept["step"], "best_validation": kept["validation"], "best_test": kept["test"],
        "train": last["train"], "validation": last["validation"], "test": last["test"],
        "gap": last["validation"] - last["train"], "rise": last["validation"] - kept["validation"],
        "test_rise": last["test"] - kept["test"],
    }).reset_index()  # fmt: skip


def chosen(table: pd.DataFrame) -> pd.Series:
    """Return the probability above 0 that validation picks for each setting."""
    return best(select(table, setting=list(SETTINGS)), "p", "best_validation", by=["setting"]).set_index("setting")["p"]


def favourite(table: pd.DataFrame) -> str:
    """Return the setting that validation likes best, at its own probability."""
    ps = chosen(table)
    return min(SETTINGS, key=lambda setting: by_seed(table, "best_validation", setting=setting, p=ps[setting]).mean())


def middle(table: pd.DataFrame) -> float:
    """Return the probability in the middle of the grid."""
    probabilities = sorted(p for p in table["p"].unique() if p > 0)
    return probabilities[len(probabilities) // 2]


def gains(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return by how many bits per byte the best model of each setting is below the best without dropout, (seeds,)."""
    plain = by_seed(table, "best_test", setting="none")
    return {setting: plain - by_seed(table, "best_test", setting=setting, p=p) for setting, p in chosen(table).items()}


def findings(tables: Tables) -> list[Finding]:
    table = runs(tables)
    gain, most = gains(table), table["p"].max()

    def closer(setting: str) -> np.ndarray:
        dropping = by_seed(table, "gap", setting=setting, p=middle(table))
        return by_seed(table, "gap", setting="none") - dropping

    too_much = by_seed(table, "best_test", setting="all", p=most) - by_seed(table, "best_test", setting="none")
    return [
        above("overfits", by_seed(table, "test_rise", setting="none")),
        above("closes_gap", closer("all")),
        above("every_site_closes_gap", min((closer(site) for site in SITES), key=np.mean)),
        above("worth", gain[favourite(table)], WORTH),
        *(above(f"lecture_over_rest_{end}", gain[f"lecture_{end}"] - gain[f"rest_{end}"]) for end in READINGS),
        *(above(f"helps_{setting}", values) for setting, values in gain.items()),
        above("all_over_lecture", gain["all"] - gain["lecture_projection"]),
        above("largest_p_is_too_much", too_much),
    ]


def strength(tables: Tables) -> pd.DataFrame:
    """Return each setting at the probability that validation picks: means over the seeds."""
    table = runs(tables)
    rows = [("none", 0.0), *chosen(table).items()]
    plain, columns = select(table, setting="none")["best_test"].mean(), ["kept_step", "best_test", "gap"]
    means = [select(table, setting=setting, p=p)[columns].mean() for setting, p in rows]
    return pd.DataFrame([
        {"setting": setting, "p": p, "kept_step": round(mean["kept_step"]), "best_test": mean["best_test"],
         "gain": plain - mean["best_test"], "gap": mean["gap"]}
        for (setting, p), mean in zip(rows, means)
    ]).round(3)  # fmt: skip


def draw_gains(tables: Tables, say: Say) -> Figure:
    """Gain and gap of every setting at its own p; the line is the model without dropout."""
    table = runs(tables)
    at = pd.concat([select(table, setting=setting, p=p) for setting, p in chosen(table).items()])
    plain = select(table, setting="none").set_index("seed")
    at = at.assign(gain=at["seed"].map(plain["best_test"]) - at["best_test"])
    figure, ((left, right),) = new_figure(1, 2, width=5.2, height=3.6)
    dots(left, at, "gain", "setting", say, keys=SETTINGS)
    dots(right, at, "gap", "setting", None, keys=SETTINGS)
    left.axvline(0, color="black", lw=0.8)
    right.axvline(plain["gap"].mean(), color="black", lw=0.8, ls="--", label=say("names.none"))
    label(left, say("figures.gain"), "", legend=False)
    label(right, say("figures.gap"), "")
    return figure


def draw_training(tables: Tables, say: Say) -> Figure:
    """One panel a setting, with the model that drops nothing in each of them; the last panel is the legend."""
    table = tables["curves"]
    figure, axes = new_figure(2, 5, width=3.2, height=2.9)
    for axis, setting in zip(axes.flat, SETTINGS):
        for number, (p, rows) in enumerate(select(table, setting=["none", setting]).groupby("p")):
            means, colour = rows.groupby("step")[["train", "validation"]].mean(), COLOURS[number]
            axis.plot(means.index, means["validation"], color=colour, lw=1.6, label=f"p = {name_of(p, say)}")
            axis.plot(means.index, means["train"], "--", color=colour, lw=1.2)
        axis.sharey(axes[0, 0])
        label(axis, say("figures.step"), say("figures.bits"), name_of(setting, say), legend=False)
    for part, dashes in (("validation", "-"), ("train", "--")):
        axes[0, 0].plot([], [], dashes, color="black", label=name_of(part, say))
    axes.flat[-1].axis("off")
    axes.flat[-1].legend(*axes[0, 0].get_legend_handles_labels(), frameon=False, loc="center left")
    return figure


def draw_strength(tables: Tables, say: Say) -> Figure:
    """The best test and the last gap by p, one line a setting."""
    table = runs(tables)
    figure, axes = new_figure(1, 2, width=5.2, height=4)
    for axis, column in zip(axes[0], ("best_test", "gap")):
        by_p(axis, table, column, say)
        label(axis, "p", say(f"figures.{column}"), legend=column == "gap")
    return figure


def by_p(axis: Axes, table: pd.DataFrame, column: str, say: Say) -> None:
    """Draw `column` by p for each site, for the lecture's two and for all four, from the model that drops nothing."""
    settings = (*SITES, *(f"lecture_{end}" for end in READINGS), "all")
    lines = pd.concat([select(table, setting=["none", setting]).assign(line=setting) for setting in settings])
    draw_curves(axis, lines, "p", column, "line", say)


FIGURES = {"gains": draw_gains, "training": draw_training, "strength": draw_strength}
SUMMARIES = {"sites": lambda tables: tables["sites"], "strength": strength}
