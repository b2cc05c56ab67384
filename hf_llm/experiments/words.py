"""Numbers and records as people read them, in Brazilian Portuguese and English."""

import math

from matplotlib.figure import Figure

from hf_llm.experiments.result import Finding, Language, Table, Words

SUPPORTED = {
    "yes": Words(pt="sim", en="yes"),
    "no": Words(pt="não", en="no"),
    "unclear": Words(pt="não dá para dizer", en="cannot be told"),
}
TRUTH = {True: Words(pt="sim", en="yes"), False: Words(pt="não", en="no")}


def shown(value, language: Language) -> str:
    """Return a value with four significant digits and the language's decimal mark.

    >>> shown(0.98765, "pt-BR"), shown(12345, "en"), shown(None, "en")
    ('0,9877', '12,345', '')
    """
    match value:
        case None:
            return ""
        case bool():
            return TRUTH[value][language]
        case Words():
            return value[language]
        case int():
            text = f"{value:,}"
        case float() if not math.isfinite(value):
            text = {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
        case float():
            small = value != 0 and abs(value) < 1e-4
            text = (
                f"{value:.2e}"
                if small or abs(value) >= 1e6
                else f"{value:,.4g}"
                if abs(value) < 1e4
                else f"{value:,.0f}"
            )
        case _:
            return str(value)
    if language == "pt-BR":
        text = text.translate(str.maketrans(",.", ".,"))
    return text.replace("-", "−")


def shown_interval(interval: tuple[float, float] | None, language: Language) -> str:
    """Return "[low; high]", or a dash for an exact value."""
    return "–" if interval is None else f"[{shown(interval[0], language)}; {shown(interval[1], language)}]"


def markdown_table(table: Table, language: Language) -> str:
    """Return the rows under their headings."""
    keys = list(table.headings)
    lines = [[table.headings[key][language] for key in keys], ["---"] * len(keys)]
    lines += [[shown(row.get(key), language) for key in keys] for row in table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def findings_table(findings: list[Finding], language: Language) -> str:
    """Return the claims with what was measured about each."""
    headings = Words(pt="afirmação;o que se mediu;valor;intervalo de 95 %;confirmada?",
                     en="claim;what was measured;value;95 % interval;supported?")  # fmt: skip
    lines = [headings[language].split(";"), ["---"] * 5]
    for finding in findings:
        lines.append([
            finding.claim[language], finding.measure[language], shown(finding.value, language),
            shown_interval(finding.interval, language), f"**{SUPPORTED[finding.supported][language]}**",
        ])  # fmt: skip
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def with_decimal_marks(figure: Figure, language: Language) -> Figure:
    """Return the figure with decimal commas on its axes where the language has them."""
    if language == "pt-BR":
        figure.draw_without_rendering()  # places the ticks
        for axes in figure.axes:
            for axis, set_limits in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
                texts = [text.get_text() for text in axis.get_ticklabels()]
                if any("." in text for text in texts):
                    limits = tuple(axis.get_view_interval())
                    axis.set_ticks(axis.get_ticklocs(), [text.replace(".", ",") for text in texts])
                    set_limits(limits)  # naming a tick outside of them had moved them
    return figure
