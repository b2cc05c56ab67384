"""Numbers as people read them: 1,234.5 in English, 1.234,5 in Portuguese."""

import math
from collections.abc import Sequence

from hf_llm.texts.language import Language

_PORTUGUESE = str.maketrans(",.", ".,")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MOST_DIGITS = 8  # of a probability in percent: those of fp32
_INFINITE = {math.inf: "∞", -math.inf: "−∞"}


def number(value: float | None, lang: Language, spec: str = "") -> str:
    """Return a number in a language.

    Args:
        value: A number; None is written as nothing.
        lang: The language.
        spec: A format specification of Python's, such as `.1f`, `,d` or `.1%`. Without one an integer gets its
            thousands marked and a float four significant digits.

    >>> number(12345, "pt-BR"), number(0.98765, "pt-BR"), number(0.98765, "en", ".1%"), number(-3.0, "en")
    ('12.345', '0,9877', '98.8%', '−3')
    >>> number(1.2e-15, "pt-BR", ".1e"), number(1e-9, "en", ".0e")
    ('1,2 × 10⁻¹⁵', '10⁻⁹')
    """
    if value is None:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return _INFINITE.get(value, "NaN")
    written = format(value, spec or _significant(value))
    if lang == "pt-BR":
        written = written.translate(_PORTUGUESE).replace("%", " %")
    mantissa, power, exponent = written.partition("e")
    if power:
        times = "" if mantissa == "1" else f"{mantissa} × "
        written = f"{times}10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return written.replace("-", "−")


def percent(value: float, lang: Language, digits: int = 1) -> str:
    """Return a probability in percent, with as many digits as tell it from certainty and from impossibility.

    >>> percent(0.25, "en"), percent(0.99994, "pt-BR"), percent(0.0000004, "en"), percent(1.0, "en")
    ('25.0%', '99,99 %', '0.00004%', '100.0%')
    """
    while 0 < value < 1 and digits < MOST_DIGITS and float(f"{100 * value:.{digits}f}") in (0.0, 100.0):
        digits += 1
    return number(value, lang, f".{digits}%")


def interval(bounds: Sequence[float], lang: Language, spec: str = "") -> str:
    """Return a 95 % interval.

    >>> interval((0.5, 1.5), "pt-BR", ".2f")
    '[0,50; 1,50]'
    """
    return f"[{'; '.join(number(bound, lang, spec) for bound in bounds)}]"


def _significant(value: float) -> str:
    """Return the specification of a number that nobody gave one."""
    if isinstance(value, int):
        return ",d"
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-4:
        return ".2e"
    return ",.0f" if size >= 1e4 else ",.4g"
