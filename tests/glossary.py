"""The words that texts for learners must not use, in each language: the right-hand column of the glossary.

Where a word is wrong in one sense only ("parte" for a fraction, "lugar" for a position), the pattern holds that sense.

>>> violations("Aperte o botão.", "pt-BR")
['“Aperte”: clique em, escolha']
"""

import re
from typing import NamedTuple

from hf_llm.texts import Language


class Forbidden(NamedTuple):
    """What must not be written, and what to write instead."""

    pattern: re.Pattern
    instead: str


def _forbidden(instead: str, *patterns: str) -> Forbidden:
    return Forbidden(re.compile("|".join(patterns), re.IGNORECASE), instead)


_FEMININE = r"(?:MLP|LSTM|GRU|CNN|ResNet|LeNet|ReLU|GELU)s?\b"
_THINGS = (
    r"(?:imagens|pesos|valores|números|neurônios|unidades|tokens|fusões|exemplos|passos|gradiente|probabilidade|tempo|"
    r"atenção|palavras|bytes|parâmetros|conexões|dados)"
)

FORBIDDEN: dict[Language, list[Forbidden]] = {
    "pt-BR": [
        _forbidden("overfitting (sobreajuste)", r"(?<!\()\bsobreajust\w*"),
        _forbidden("rede profunda", r"\b(?:redes?|camadas?|modelos?) (?:\w+ )?fund[oa]s?\b", r"\bmais fund[oa]s?"),
        _forbidden("trade-offs", r"\bcompromissos?\b"),
        _forbidden("mitigar riscos", r"\breduzi-l[ao]s\b"),
        _forbidden("fusão (merge)", r"\bjunç(?:ão|ões)\b"),
        _forbidden(
            "posição",
            r"\blugar(?:es)? (?:\{|\d|d[oae]s? (?:tokens?|palavras?|pixels?|filtro|mapa|modelo))",
            r"\blugar(?:es)? no (?:texto|filtro|mapa|modelo)",
            r"\b(?:cada|um|outro) lugar\b(?! comum)",
        ),
        _forbidden(
            "fração, proporção",
            rf"\b(?:uma|que|esta|essa|qual) parte (?:\*?p\b|d[oae]s? {_THINGS})", r"\bparte \*?p\b",
            rf"^parte d[oae]s? {_THINGS}",
        ),
        _forbidden("conexão residual (skip connection)", r"\batalhos?\b(?! d[eo] teclado)", r"\bshortcuts?\b"),
        _forbidden(
            "momentum",
            r"\b(?:SGD|gradiente|otimizador\w*|descida)(?: \w+)? com momento\b",
            r"\b(?:termo|coeficiente) d[eo] momento\b",
            r"\bmomento (?:de Nesterov|clássico)",
        ),
        _forbidden("sigmoide", r"(?<![`\w.])sigmoid(?![\w`(])"),
        _forbidden(
            "a MLP, a LSTM, a GRU, a CNN, a ResNet, a ReLU (feminino)",
            rf"\b(?:[dn]?os?|aos?|pelos?|[dn]?um|este|esse|aquele|mesmo|outro) {_FEMININE}",
        ),
        _forbidden("o GPT-2 (masculino)", r"\b(?:da|na|pela|à|uma|numa|esta|essa|mesma|outra) GPT-2\b", r"^A GPT-2\b"),
        _forbidden("pesos iniciais", r"\bpesos sortead\w+", r"\bprimeiros pesos\b"),
        _forbidden("inicialização usual (He, Xavier)", r"\bpesos (?:habituais|costumeiros)\b"),
        _forbidden("clique em, escolha", r"\bapert(?:e|ar|ou|ando)\b"),
        _forbidden("configurações", r"\bajustes\b(?! finos)", r"\b(?:cada|nenhum|qualquer|um) ajuste\b(?! fino)"),
        _forbidden(
            "link",
            r"\bendereço (?:com|d[ea]sta página|d[ea] página|para compartilhar)",
            r"\b(?:criar|copi\w+|compartilh\w+) (?:o |um |este )?endereço",
        ),
        _forbidden("chamada de API desta página", r"\bo que a página chamou\b"),
        _forbidden("sequência de parada", r"\btextos? de parada\b"),
        _forbidden("tem acurácia maior que", r"\bacert\w+ (?:muito |bem |claramente )?mais\b"),
        _forbidden("inconclusivo", r"\bnão dá para dizer\b"),
        _forbidden("mensagem de erro clara", r"\b(?:erros?|recusad\w+|responde\w*) (?:com|em) uma frase\b"),
    ],
    "en": [
        _forbidden("overfitting", r"\bover-fit\w*"),
        _forbidden("residual connection (skip connection)", r"(?<!keyboard )\bshortcuts?\b"),
        _forbidden("initial weights, random initialization", r"\bfirst weights\b", r"\bweights as drawn\b"),
        _forbidden("API call of this page", r"\bwhat the page called\b"),
        _forbidden("training, run", r"\bthe training's own words\b", r"\bin (?:the training's|its) own words\b"),
        _forbidden("is more accurate than", r"\bgets? (?:\w+ )?more right\b"),
        _forbidden("inconclusive", r"\bcannot be told\b"),
        _forbidden("Results / How to reproduce", r"\bwhat was found\b", r"\bto make it again\b"),
        _forbidden(
            "per",
            r"\b(?:nats?|bits?|tokens?|bytes?|images?|steps?|examples?|words?|loss|cells?) an? "
            r"(?:second|minute|token|byte|image|word|step|example|weight)\b",
        ),
        _forbidden("with respect to", r"\bgradients? by (?:the )?(?:logits?|weights?|inputs?|parameters?)\b"),
        _forbidden("cosine similarity", r"\blikeness(?:es)?\b"),
        _forbidden("a minimal PyTorch loop", r"\bbarest loop\b"),
        _forbidden("no measurable overhead", r"\bnothing that can be told\b"),
        _forbidden("clear error message", r"\b(?:meets?|gets?|refused|answered|error)(?: with| in| by)? a sentence"),
        _forbidden("package", r"\b(?:each|every|its own|this) room\b"),
    ],
}  # fmt: skip


def violations(text: str, lang: Language) -> list[str]:
    """Return what a text has that the glossary does not allow, each with what to write instead."""
    return [
        f"“{found.group()}”: {forbidden.instead}"
        for forbidden in FORBIDDEN[lang]
        for found in forbidden.pattern.finditer(text)
    ]
