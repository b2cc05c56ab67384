"""The experiment `optimizers`."""

from hf_llm.data.images import read_images
from hf_llm.experiments.frame import Lab, Study, Tables
from hf_llm.experiments.optimizers import decay, frequent_and_rare, identities, next_word, race, surfaces, word_decay
from hf_llm.experiments.optimizers.tasks import BATCH_SIZE, BETAS, HIDDEN_SIZES


def settings(study: Study) -> dict:
    images = read_images(study.data)
    return {
        "images": images.name, "images_sha256": images.sha256, "identity_steps": identities.STEPS,
        "race_images": study.pick(*race.IMAGES), "race_steps": study.pick(*race.STEPS),
        "decay_images": decay.IMAGES, "decay_steps": study.pick(*decay.STEPS),
        "text": next_word.TEXT, "word_steps": study.pick(*next_word.STEPS), "hidden_sizes": HIDDEN_SIZES,
        "batch_size": BATCH_SIZE, "betas": list(BETAS), "condition": surfaces.CURVATURE,
        "least": next_word.RAREST, "most": next_word.MOST_FREQUENT,
    }  # fmt: skip


def quantities(tables: Tables) -> dict:
    """Return by how many nats SGD with momentum is behind Adam on rare and on frequent words, and an early step."""
    groups = {"gap_rarest": next_word.RAREST, "gap_most_frequent": next_word.MOST_FREQUENT}
    behind = {name: float(frequent_and_rare.behind_adam(tables, fewest).mean()) for name, fewest in groups.items()}
    return {**behind, "early_step": int(tables["race"]["step"].min())}


LAB = Lab(
    folder="optimizers",
    parts=[identities, surfaces, race, decay, frequent_and_rare, word_decay],
    lecture=["L10", "L11", "L12", "L15", "L33"],
    figure="words",
    shown=[
        "adam_on_words", "sgd_lacks_rare_words", "adam_on_images", "momentum_on_images", "momentum_in_the_valley",
        "adam_is_both", "decoupled_over_l2",
    ],
    settings=settings,
    quantities=quantities,
)  # fmt: skip
