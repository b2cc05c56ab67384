"""The part of a model card that says which exports lie beside the model, and how to open them: a push writes it."""

import re

from hf_llm.texts import Language, text

BEGIN, END = "<!-- exports -->", "<!-- /exports -->"  # a later push finds its own part between them
SECTION = re.compile(rf"\n*{BEGIN}.*?{END}\n*", re.DOTALL)


def name_exports(card: str, records: dict[str, dict], repo_id: str) -> str:
    """Return a card with the part on these exports in place of an earlier one; without it where there are none.

    Args:
        card: README.md.
        records: {format: export.json}.
        repo_id: owner/name on the Hub.
    """
    card = SECTION.sub("\n", card)
    if not records:
        return card
    parts = [_part(records, repo_id, language) for language in ("en", "pt-BR")]
    return f"{card.rstrip()}\n\n{BEGIN}\n{parts[0]}\n\n{parts[1]}\n{END}\n"


def _part(records: dict[str, dict], repo_id: str, language: Language) -> str:
    paragraphs = [text("hub.exports_title", language)]
    for to, record in records.items():
        greedy, bits = record["checks"]["greedy"], record["checks"].get("bits_per_byte", {})
        values = {"repo_id": repo_id, "prompts": greedy["prompts"], "identical": greedy["identical"]}
        changes = {name: bits[f"{name}_change"] for name in ("f16", "q8_0") if bits}
        paragraphs.append(text(f"hub.exports_{to}", language, **values, **changes))
    return "\n\n".join(paragraphs)
