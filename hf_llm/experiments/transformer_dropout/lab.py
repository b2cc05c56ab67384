"""How does dropout work in a Transformer? Lecture question L32, and its claim L18 on where dropout is used.

The same GPT-2 drops at each of its four kinds of place alone, at the two that the lecture names, at the other two, and
at all of them. Then the trained models answer in both modes, and the transformers library is asked where it drops.
"""

from hf_llm.experiments.config import ExperimentConfig
from hf_llm.experiments.result import Progress, Result, track
from hf_llm.experiments.transformer_dropout.cells import FULL, QUICK, Study, TextParts, train_cell
from hf_llm.experiments.transformer_dropout.charts import make_charts
from hf_llm.experiments.transformer_dropout.findings import effect_findings
from hf_llm.experiments.transformer_dropout.library import library_findings
from hf_llm.experiments.transformer_dropout.mode_findings import mode_findings
from hf_llm.experiments.transformer_dropout.sites import SETTINGS
from hf_llm.experiments.transformer_dropout.tables import make_tables, settings_of
from hf_llm.experiments.transformer_dropout.words import CAVEATS, INTRODUCTION, SAMPLE_CAVEAT, TITLE
from hf_llm.models.gpt2 import gpt2_config, parameter_counts


def run(config: ExperimentConfig, progress: Progress) -> Result:
    """Train the grid, compare places and modes, and look into the library. `config.data` is for labs with images."""
    study, seeds = QUICK if config.quick else FULL, list(range(config.seeds))
    parts = TextParts.read(study.vocab_size)
    cells = [(setting, p, seed) for seed in seeds for setting, p in settings_of(study)]
    runs = {cell: train_cell(parts, study, *cell) for cell in track(cells, progress)}
    tables = make_tables(runs, parts, study, seeds)
    return Result(
        title=TITLE,
        introduction=INTRODUCTION,
        lecture=["L18", "L32"],
        quick=config.quick,
        seeds=seeds,
        settings=settings(parts, study),
        findings=[
            *effect_findings(runs, study, seeds),
            *mode_findings(runs, study, seeds),
            *library_findings(tables["library"].rows),
        ],
        tables=tables,
        charts=make_charts(tables, study),
        caveats=CAVEATS if parts.text.name == "the-verdict" else [*CAVEATS, SAMPLE_CAVEAT],
    )


def settings(parts: TextParts, study: Study) -> dict:
    """Return what was run as JSON-ready values."""
    model = gpt2_config(**study.shape, vocab_size=len(parts.tokenizer))
    return {
        "data": parts.text.name,
        "data_sha256": parts.text.sha256,
        "tokens": {part: len(ids) for part, ids in parts.ids.items()},
        "train_tokens": study.train_tokens or len(parts.ids["train"]),
        "vocab_size": len(parts.tokenizer),
        "model": {**study.shape, "parameters": parameter_counts(model)["total"]},
        "sites": SETTINGS,
        "probabilities": study.probabilities,
        "middle": study.middle,
        "steps": study.steps,
        "evaluations": study.evaluations,
        "batch": study.batch,
        "passes": study.passes,
        "eval_stride": study.shape["n_positions"],
        "training": study.training,
    }
