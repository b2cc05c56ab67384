"""The first page: which models are here, and where to begin."""

from hf_llm.app.page import App, Page
from hf_llm.app.texts import Language, text
from hf_llm.app.views import message, table
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest


def build(page: Page) -> None:
    shown = page.view()
    page.opens_with(lambda lang: models(page.app, lang), [], shown)


def endpoints(app: App) -> dict:
    return {}


def models(app: App, lang: Language) -> str:
    """Return a table of the finished runs with what each was trained on and how good it is."""
    records = []
    for name in [*app.library.language_models(), *app.library.image_classifiers()]:
        try:
            manifest = (read_manifest(app.library.folder(name)) or {}) if name not in app.library.hub_models else {}
        except UserError:
            continue  # removed since it was listed
        validation = manifest.get("metrics", {}).get("validation", {})
        records.append({
            "name": name,
            "parameters": manifest.get("model", {}).get("parameters"),
            "corpus": manifest.get("data", {}).get("name"),
            "bits": validation.get("bits_per_byte"),
            "accuracy": validation.get("accuracy"),
        })  # fmt: skip
    if not app.library.language_models():
        return message(text("common.no_model", lang)) + (_table(records, lang) if records else "")
    return _table(records, lang)


def _table(records: list[dict], lang: Language) -> str:
    headings = {key: text(f"home.{key}", lang) for key in ("name", "parameters", "corpus", "bits", "accuracy")}
    return table(records, headings, text("home.models", lang), lang)
