"""Lab `regularization`, the lecture's definitions, each against what a layer or an optimizer computes: L14 to L17."""

from hf_llm.evaluation.intervals import share_interval
from hf_llm.experiments.findings import exact
from hf_llm.experiments.regularization.mechanics import UNITS, P
from hf_llm.experiments.result import Finding, Words

ROUNDING = 1e-6  # of numbers about one in fp32, after a few operations
ROUNDING_64 = 1e-12
NORMALISED = 1e-3  # of mean and variance: the ε under batch norm's root keeps the variance a little below one
SHARE_MARGIN = 0.01  # a share of zeros this near p is p

RELATIVE = Words(pt="diferença relativa", en="relative difference")
AFTER_STEPS = Words(
    pt="pesos depois de alguns passos, diferença relativa", en="weights after some steps, relative difference"
)
AMONG_UNITS = Words(pt="maior desvio entre os neurônios", en="largest deviation among the units")
COMPANIONS = Words(pt="maior mudança com outros companheiros", en="largest change with other companions")

ZEROS = (
    Words(
        pt="No treino, o dropout zera cada neurônio com probabilidade p",
        en="In training, dropout zeroes each unit with probability p",
    ),
    Words(pt="fração zerada menos p", en="share zeroed, minus p"),
)
SAME = {
    "scale": (
        Words(
            pt="Os neurônios que restam são divididos pela probabilidade de restar",
            en="The units that remain are divided by the probability of remaining",
        ),
        RELATIVE,
    ),
    "evaluation": (
        Words(pt="Na avaliação, o dropout não muda nada", en="In evaluation, dropout changes nothing"),
        Words(pt="maior diferença", en="largest difference"),
    ),
    "gradient": (
        Words(
            pt="Somar λ‖w‖² à perda soma ao gradiente o dobro de λ vezes w",
            en="Adding λ‖w‖² to the loss adds twice λ times w to the gradient",
        ),
        RELATIVE,
    ),
    "sgd": (
        Words(
            pt="Com SGD, o weight decay do otimizador e λ‖w‖² na perda são a mesma coisa",
            en="With SGD, the optimizer's weight decay and λ‖w‖² in the loss are the same thing",
        ),
        AFTER_STEPS,
    ),
    "adam": (
        Words(
            pt="Com Adam, o decaimento posto no gradiente e λ‖w‖² na perda são a mesma coisa",
            en="With Adam, decay in the gradient and λ‖w‖² in the loss are the same thing",
        ),
        AFTER_STEPS,
    ),
    "adamw": (
        Words(
            pt="O decaimento desacoplado do AdamW e λ‖w‖² na perda são a mesma coisa",
            en="The decoupled decay of AdamW and λ‖w‖² in the loss are the same thing",
        ),
        Words(
            pt="distância entre os pesos, como fração do deslocamento que o termo λ‖w‖² causa",
            en="distance between the weights, as a share of how far the term λ‖w‖² moves them",
        ),
    ),
    "mean": (
        Words(
            pt="No treino, antes do ganho e do deslocamento, o batch norm dá a cada neurônio média zero no mini-batch",
            en="In training, before gain and shift, batch norm gives each unit mean zero over the mini-batch",
        ),
        AMONG_UNITS,
    ),
    "variance": (
        Words(
            pt="No treino, antes do ganho e do deslocamento, o batch norm dá a cada neurônio variância um no "
            "mini-batch",
            en="In training, before gain and shift, batch norm gives each unit variance one over the mini-batch",
        ),
        AMONG_UNITS,
    ),
    "running": (
        Words(
            pt="Na avaliação, o batch norm usa as médias móveis do treino, não o mini-batch",
            en="In evaluation, batch norm uses the running averages of training, not the mini-batch",
        ),
        Words(pt="maior diferença em relação à fórmula", en="largest difference from the formula"),
    ),
    "evaluation_companions": (
        Words(
            pt="Na avaliação, a saída de uma imagem não depende das outras do mini-batch",
            en="In evaluation, an image's output does not depend on the others of its mini-batch",
        ),
        COMPANIONS,
    ),
}
DEPENDS = (
    Words(
        pt="No treino, o batch norm faz a saída de uma imagem depender das outras do mini-batch",
        en="In training, batch norm makes an image's output depend on the others of its mini-batch",
    ),
    COMPANIONS,
)


def layer_findings(dropout: dict[str, float], penalty: dict[str, float], norm: dict[str, float]) -> list[Finding]:
    """Return what `dropout_layer`, `penalty` and `batch_norm_layer` say about the lecture's definitions."""

    def same(numbers: dict[str, float], name: str, tolerance: float) -> Finding:
        return exact(SAME[name], numbers[name], numbers[name] <= tolerance)

    share = share_interval(dropout["zeros"], UNITS)
    low, high = (bound - P for bound in share.bounds)
    near = low > -SHARE_MARGIN and high < SHARE_MARGIN
    return [
        Finding(*ZEROS, share.mean - P, (low, high), "yes" if near else "no"),
        same(dropout, "scale", ROUNDING),
        same(dropout, "evaluation", 0.0),
        *(same(penalty, name, ROUNDING_64) for name in ("gradient", "sgd", "adam", "adamw")),
        *(same(norm, name, NORMALISED) for name in ("mean", "variance", "running")),
        exact(DEPENDS, norm["training_companions"], norm["training_companions"] > NORMALISED),
        same(norm, "evaluation_companions", ROUNDING),
    ]
