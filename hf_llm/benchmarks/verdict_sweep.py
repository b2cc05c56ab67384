"""How the default configuration was chosen: one setting changed at a time, on the first 90 % of The Verdict.

Trained on the first 80 %, judged on the next 10 %. The last 10 %, on which the chosen configuration is reported, is
cut off before anything else happens.
"""

import dataclasses
import hashlib
from pathlib import Path

from tqdm import tqdm

from hf_llm.benchmarks.record import recipe, write_result
from hf_llm.data import Text, read_text
from hf_llm.recipes.pretrain import make_task, read_inputs
from hf_llm.training.config import PretrainConfig
from hf_llm.training.loop import train

RECIPE = "gpt2/verdict"
SEEDS = (0,)  # the spread over seeds is that of the final figure, results/verdict
GRID = {
    "vocab_size": [2400, 1200, 800, 400],
    "n_embd": [192, 64],
    "n_layer": [2, 6],
    "dropout": [0.1, 0.3],
    "max_steps": [400, 1000],
    "input_noise": [0.0],
    "bpe_dropout": [0.0],
}


def run(output_dir: Path) -> None:
    """Run the sweep and write result.json; half an hour on one core."""
    write_result(output_dir, **sweep(read_text("the-verdict"), base_config()))


def base_config() -> PretrainConfig:
    """Return the committed recipe, without what the sweep does not need."""
    return recipe(PretrainConfig, RECIPE, sample_tokens=1, threads=1)


def development_part(text: Text) -> Text:
    """Return the first 90 % of a text, as a text of its own."""
    part = text.text[: int(len(text.text) * 0.9)]
    return Text(f"{text.name}, first 90 %", part, hashlib.sha256(part.encode("utf-8")).hexdigest())


def sweep(text: Text, base: PretrainConfig, grid: dict[str, list] = GRID, seeds: tuple[int, ...] = SEEDS) -> dict:
    """Train `base` and each one-setting variant of it; return a row each, best first."""
    development = development_part(text)
    base = dataclasses.replace(base, validation_fraction=1 / 9)  # a tenth of the whole
    variants = [{}, *({name: value} for name, values in grid.items() for value in values)]
    rows = []
    for changes in tqdm(variants, desc="sweep", disable=None):
        config = dataclasses.replace(base, **changes)
        rows.append({"changes": changes, **_measure(development, config, seeds)})
        tqdm.write(str(rows[-1]))
    rows.sort(key=lambda row: row["mean_best_bits_per_byte"])
    data = {"name": development.name, "sha256": development.sha256}
    return {"base": dataclasses.asdict(base), "data": data, "seeds": list(seeds), "rows": rows}


def _measure(text: Text, config: PretrainConfig, seeds: tuple[int, ...]) -> dict:
    runs = []
    for seed in seeds:
        config = dataclasses.replace(config, seed=seed)
        result = train(make_task(config, *read_inputs(config, text)), config)
        curve = [(r["bits_per_byte"], r["step"]) for r in result.records if "bits_per_byte" in r]
        (best, step), (last, _) = min(curve), curve[-1]
        runs.append((round(best, 4), step, round(last, 4), round(result.progress.seconds, 1)))
    best, steps, last, seconds = map(list, zip(*runs))
    return {
        "mean_best_bits_per_byte": round(sum(best) / len(best), 4), "best_bits_per_byte": best, "best_steps": steps,
        "last_bits_per_byte": last, "timings": {"seconds": seconds},
    }  # fmt: skip
