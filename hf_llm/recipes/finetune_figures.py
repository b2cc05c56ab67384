"""The pictures of a fine-tuned model: its curves, and of a classifier what it takes for what."""

import numpy as np
from matplotlib.figure import Figure

from hf_llm.recipes.classifier_figures import confusion
from hf_llm.recipes.figures import accuracy_figure, loss_figure


def finetune_figures(records: list[dict], scores: dict[str, dict], data: dict) -> dict[str, Figure]:
    """Return the pictures by name.

    Args:
        records: Lines of log.jsonl.
        scores: As `publish` takes them; the confusion is that of the test part where it was measured.
        data: What the manifest says of the data.
    """
    published_step = scores["validation"]["step"]
    figures = {"loss": loss_figure(records, published_step)}
    if "classes" in data:
        counts = np.array(scores.get("test", scores["validation"])["confusion"])
        figures["accuracy"] = accuracy_figure(records, published_step)
        figures["confusion"] = confusion(counts, "message", data["classes"])
    return figures
