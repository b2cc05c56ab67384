"""How a training of a language model goes: its state, its curves, what it writes, the command."""

import re
from html import escape

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.navigation import url
from hf_llm.app.server.downloads import address
from hf_llm.app.server.training_process import Training
from hf_llm.app.views import figure_data, folded, message, paragraph, table
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest
from hf_llm.texts import Language, text

COLUMNS = ("step", "loss", "validation_loss", "bits_per_byte", "learning_rate", "grad_norm", "tokens_per_second")
SAMPLES = 3  # shown; the others are folded
LINE_END = re.compile(r"\s*\n\s*")
DIVERGED = "no longer a finite number"  # in the loop's message
OVERFITTED = 1.005  # validation loss at the end over its best


def manifest_of(training: Training) -> dict:
    """Return run.json, {} before there is one."""
    try:
        return read_manifest(training.folder) or {}
    except UserError:  # another process is replacing it
        return {}


def status(training: Training, lang: Language) -> str:
    """Return what the training does now, and once it has ended, how it ended and what to do next."""
    manifest, records, state = manifest_of(training), training.records(), training.state
    config = manifest.get("config", {})
    step, steps = (records[-1]["step"] if records else 0), config.get("max_steps")
    place, waiting = training.place or ("?", "?")
    values = {"step": step, "steps": steps or "?", "seconds": round(training.seconds), "name": training.name}
    if state == "waiting":  # looked at all the time: a screen reader would read each tick aloud
        return message(text("train.state.waiting", lang, place=place, waiting=waiting), announced=False)
    if state == "running":
        return _running(training, records, config, values, lang)
    if state == "finished":
        return _finished(manifest, values, lang)
    if state == "failed":
        said = training.error()
        reason = "diverged" if DIVERGED in said else "failed" if said else "crashed"
        quote = f'<blockquote lang="en" translate="no">{escape(said)}</blockquote>' if said else ""
        return message(text(f"train.state.{reason}", lang, **values), "bad") + quote
    if state == "stopped" and not training.left:
        state = "time_over"
    return message(text(f"train.state.{state}", lang, limit=round(training.limit), **values))


def _running(training: Training, records: list[dict], config: dict, values: dict, lang: Language) -> str:
    step, steps = values["step"], config.get("max_steps", 1)
    to_go = None
    if training.ending:
        key = "ending"
    elif not records:
        key = "starting"
    elif step >= steps:
        key = "publishing"
    else:
        key = "running"
        items = config["total_batch_size"] * config["n_positions"]
        to_go = round((steps - step) * items / (records[-1]["tokens_per_second"] or 1))
    sentence = text(f"train.state.{key}", lang, limit=round(training.limit), to_go=to_go, **values)
    bar = f'<progress max="{steps}" value="{step}" aria-label="{escape(text("train.progress", lang))}"></progress>'
    return message(sentence, announced=False) + bar  # a screen reader would read each tick aloud


def _finished(manifest: dict, values: dict, lang: Language) -> str:
    metrics = manifest.get("metrics", {})
    best, last = metrics.get("validation", {}), metrics.get("validation_last", {})
    if "bits_per_byte" not in best:  # the page was asked for another kind of run
        return message(text("train.state.other", lang, **values))
    sentence = text(
        "train.state.finished", lang, bits=best["bits_per_byte"], best=best["step"], last=last["bits_per_byte"],
        **values,
    )  # fmt: skip
    links = "".join(
        f'<li><a href="{url(page, model=values["name"])}">{escape(text(f"{page}.title", lang))}</a></li>'
        for page in ("generate", "inside")
    )
    go_on = f"<p>{escape(text('train.go_on', lang))}</p><ul class='links'>{links}</ul>"
    return message(sentence, "good") + _beside(metrics, lang) + go_on


def _beside(metrics: dict, lang: Language) -> str:
    """Return the model's bits per byte beside those of what needs no net; a run of an earlier version has none."""
    if "baselines" not in metrics:
        return ""
    best, beside = metrics["validation"], metrics["baselines"]
    interval = best["bits_per_byte_interval_95"]
    rows = [{"who": text("train.beside.model", lang), "bits_per_byte": best["bits_per_byte"], "interval": interval}]
    for who in ("ngram", "compressor"):
        rows.append({"who": text(f"train.beside.{who}", lang, **beside[who]), **beside[who]})
    headings = {column: text(f"train.beside.{column}", lang) for column in rows[0]}
    return table(rows, headings, text("train.beside.caption", lang), lang) + paragraph(text("train.beside.note", lang))


def curves(training: Training, lang: Language) -> str:
    """Return loss, bits per byte and learning rate over the steps, the table behind them, and what they show."""
    records = training.records()
    if not records:
        return ""
    losses = [record["loss"] for record in records]
    figures = [
        _chart(records, ("loss", "validation_loss"), lang, log=max(losses) > 20 * min(losses)),
        _chart(records, ("bits_per_byte",), lang),
        _chart(records, ("learning_rate",), lang),
    ]
    rows = [{name: record.get(name) for name in COLUMNS} for record in records]
    return (
        _overfitted(records, lang)
        + f'<div class="charts">{"".join(figures)}</div>'
        + figure_data(training.folder.name, rows, "train.column", text("train.curves", lang), lang)
    )


def _chart(records: list[dict], names: tuple[str, ...], lang: Language, log: bool = False) -> str:
    lines = [
        Line(text(f"train.column.{name}", lang), points, colour, dashed=colour > 0)
        for colour, name in enumerate(names)
        if (points := [(record["step"], record[name]) for record in records if name in record])
    ]
    if not any(len(line.points) > 1 for line in lines):
        return ""
    caption, y_label = text(f"train.chart.{names[0]}", lang), text(f"train.axis.{names[0]}", lang)
    return line_chart(lines, caption, text("train.column.step", lang), y_label, lang, log=log)


def _overfitted(records: list[dict], lang: Language) -> str:
    """Say so when the validation loss rose again after its best while the training loss went on falling."""
    evaluated = [record for record in records if "validation_loss" in record]
    if not evaluated:
        return ""
    best, last = min(evaluated, key=lambda record: record["validation_loss"]), evaluated[-1]
    if last["validation_loss"] < OVERFITTED * best["validation_loss"] or last["loss"] > best["loss"]:
        return ""
    sentence = text(
        "train.overfits", lang, best=best["step"], last=last["step"], low=best["validation_loss"],
        high=last["validation_loss"], train=last["loss"], before=best["loss"],
    )  # fmt: skip
    return message(sentence, "bad", announced=False)  # it changes at each evaluation


def download(training: Training, lang: Language) -> str:
    """Return the link to the archive, once nothing is written into the folder any more."""
    if training.state == "running" or not manifest_of(training):
        return ""
    return f'<p class="downloads"><a download href="{address(training.name)}">{text("train.download", lang)}</a></p>'


def samples(training: Training, lang: Language) -> str:
    """Return what the model wrote at its evaluations, the newest first."""
    prompt = manifest_of(training).get("config", {}).get("sample_prompt", "")
    written = [
        f"<li><b>{escape(text('train.at_step', lang, step=record['step']))}</b> "
        f"<bdi><i>{escape(prompt)}</i>{escape(LINE_END.sub(' ⏎ ', record['sample']))}</bdi></li>"
        for record in reversed(training.records())
        if "sample" in record
    ]
    if not written:
        return ""
    newest, older = (f'<ul class="samples">{"".join(some)}</ul>' for some in (written[:SAMPLES], written[SAMPLES:]))
    more = folded(text("train.earlier_samples", lang), older) if len(written) > SAMPLES else ""
    return f"<h2>{escape(text('train.samples', lang))}</h2>{newest}{more}"
