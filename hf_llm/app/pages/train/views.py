"""How a training of a language model goes: its state, its curves, what it writes, the command."""

import re
from html import escape

from hf_llm.app.line_chart import Line, line_chart
from hf_llm.app.server.training_process import Training
from hf_llm.app.texts import Language, text
from hf_llm.app.views import behind, message, number
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest

COLUMNS = ("step", "loss", "validation_loss", "bits_per_byte", "learning_rate", "grad_norm", "tokens_per_second")
SAMPLES = 3  # shown; the others are folded
LINE_END = re.compile(r"\s*\n\s*")
DIVERGED = "no longer a finite number"  # in the loop's sentence
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
    values = {"step": step, "steps": steps or "?", "seconds": round(training.seconds), "name": training.name}
    if state == "running":
        return _running(training, records, config, values, lang)
    if state == "finished":
        return _finished(manifest, values, lang)
    if state == "failed":
        said = training.last_words()
        reason = "diverged" if DIVERGED in said else "failed" if said else "crashed"
        quote = f'<blockquote lang="en" translate="no">{escape(said)}</blockquote>' if said else ""
        return message(text(f"train.state_{reason}", lang, **values), "bad") + quote
    if state == "stopped" and not training.left:
        state = "time_over"
    return message(text(f"train.state_{state}", lang, limit=round(training.limit), **values))


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
    sentence = text(f"train.state_{key}", lang, limit=round(training.limit), to_go=to_go, **values)
    bar = f'<progress max="{steps}" value="{step}" aria-label="{escape(text("train.progress", lang))}"></progress>'
    # no role="status": a screen reader would read each tick aloud
    return f'<p class="message">{escape(sentence)}</p>{bar}'


def _finished(manifest: dict, values: dict, lang: Language) -> str:
    metrics = manifest.get("metrics", {})
    best, last = metrics.get("validation", {}), metrics.get("validation_last", {})
    if "bits_per_byte" not in best:  # the page was asked for another kind of run
        return message(text("train.state_other", lang, **values))
    sentence = text(
        "train.state_finished", lang, bits=number(best["bits_per_byte"], lang), best=best["step"],
        last=number(last["bits_per_byte"], lang), **values,
    )  # fmt: skip
    links = "".join(
        f'<li><a href="./{path}?model={escape(values["name"])}">{escape(text(f"{path}.title", lang))}</a></li>'
        for path in ("generate", "inside")
    )
    return message(sentence, "good") + f"<p>{escape(text('train.go_on', lang))}</p><ul class='links'>{links}</ul>"


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
    headings = {name: text(f"train.{name}", lang) for name in COLUMNS}
    return (
        _overfitted(records, lang)
        + f'<div class="charts">{"".join(figures)}</div>'
        + behind(training.folder.name, rows, headings, text("train.curves", lang), lang)
    )


def _chart(records: list[dict], names: tuple[str, ...], lang: Language, log: bool = False) -> str:
    lines = [
        Line(text(f"train.{name}", lang), points, colour, dashed=colour > 0)
        for colour, name in enumerate(names)
        if (points := [(record["step"], record[name]) for record in records if name in record])
    ]
    if not any(len(line.points) > 1 for line in lines):
        return ""
    caption = text(f"train.chart_{names[0]}", lang)
    return line_chart(lines, caption, text("train.step", lang), text(f"train.axis_{names[0]}", lang), lang, log=log)


def _overfitted(records: list[dict], lang: Language) -> str:
    """Say so when the validation loss rose again after its best while the training loss went on falling."""
    evaluated = [record for record in records if "validation_loss" in record]
    if not evaluated:
        return ""
    best, last = min(evaluated, key=lambda record: record["validation_loss"]), evaluated[-1]
    if last["validation_loss"] < OVERFITTED * best["validation_loss"] or last["loss"] > best["loss"]:
        return ""
    sentence = text(
        "train.overfits", lang, best=best["step"], last=last["step"], low=number(best["validation_loss"], lang, 2),
        high=number(last["validation_loss"], lang, 2), train=number(last["loss"], lang, 2),
        before=number(best["loss"], lang, 2),
    )  # fmt: skip
    return f'<p class="message bad">{escape(sentence)}</p>'  # no role="status": it changes at each evaluation


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
    shown, folded = written[:SAMPLES], written[SAMPLES:]
    more = (
        f"<details><summary>{escape(text('train.earlier_samples', lang))}</summary>"
        f'<ul class="samples">{"".join(folded)}</ul></details>'
        if folded
        else ""
    )
    return f'<h2>{escape(text("train.samples", lang))}</h2><ul class="samples">{"".join(shown)}</ul>{more}'
