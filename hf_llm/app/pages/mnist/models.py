"""The image classifiers that the page offers, and what they were trained on."""

from hf_llm.app.page import App
from hf_llm.app.pages.mnist.pictures import sources
from hf_llm.config import UserError
from hf_llm.runs.manifest import read_manifest


def classifiers(app: App, kind: str) -> list[str]:
    """Return the image classifiers to choose from, those of `kind` (mlp, lenet) first, the newest of them on top."""
    names = app.library.image_classifiers()
    return sorted(names, key=lambda name: _kind(app, name) != kind)


def _kind(app: App, name: str) -> str | None:
    try:
        return ((read_manifest(app.library.runs / name) or {}).get("config") or {}).get("model")
    except UserError:
        return None  # removed since it was listed


def trained_on(app: App, name: str) -> str:
    """Return the name of the images that a classifier was trained on."""
    return ((read_manifest(app.library.folder(name)) or {}).get("data") or {}).get("name", "?")


def its_source(app: App, name: str | None) -> str:
    """Return where digits like those of the model's training come from, as far as they are at hand."""
    data = trained_on(app, name) if name else None
    return data if data in sources() else sources()[0]
