"""Lab `architectures`, is ReLU the standard? What classes compute when nobody chooses (L8).

What is read off the classes says what their authors took for the standard; how well each activation does is measured
by training LeNet-5 and recurrent nets with it.
"""

import numpy as np
import torch
import transformers
from torch import Tensor, nn

from hf_llm.experiments.architectures.words import ACTIVATIONS, RECURRENT_NAMES
from hf_llm.experiments.findings import exact, over_seeds
from hf_llm.experiments.result import Finding, Words
from hf_llm.experiments.seed_comparison import POINTS, accuracies_on_test, points

# the image classifiers of transformers that mix pixels by convolutions alone and let one choose the activation, with
# the year in which the library's documentation says that they came out
CONVOLUTIONAL = {
    "ResNet": 2015, "MobileNetV1": 2017, "MobileNetV2": 2018, "EfficientNet": 2019, "Bit": 2019, "RegNet": 2020,
    "PPLCNet": 2021, "ConvNext": 2022, "ConvNextV2": 2023, "HGNetV2": 2024,
}  # fmt: skip
GATES = "sigmoid, tanh"
ROUNDING = 1e-5  # of sums in fp32
FROM_FORMULA = Words(pt="maior diferença em relação à fórmula", en="largest difference from the formula")
MOST = {
    "convolutional": Words(
        pt="A maioria das CNNs da biblioteca transformers usa ReLU quando ninguém escolhe",
        en="Most CNNs of the transformers library use ReLU when nobody chooses",
    ),
    "recurrent": Words(
        pt="A maioria das redes recorrentes do torch usa ReLU quando ninguém escolhe",
        en="Most recurrent nets of torch use ReLU when nobody chooses",
    ),
}
# each activation from both starts, and the better start of ReLU against the cells with gates
RACES = (
    ("rnn_relu", "rnn_tanh"),
    ("rnn_relu_identity", "rnn_tanh_identity"),
    ("rnn_relu_identity", "gru"),
    ("rnn_relu_identity", "lstm"),
)


def convolutional_defaults() -> list[dict]:
    """Return the default activation of each convolutional class of transformers; relu6 is ReLU cut off at six."""
    rows = []
    for name, year in CONVOLUTIONAL.items():
        activation = getattr(transformers, f"{name}Config")().hidden_act
        rows.append({"class": name, "year": year, "activation": activation, "relu": activation.startswith("relu")})
    return rows


def recurrent_defaults() -> list[dict]:
    """Return what torch's recurrent classes compute with: nn.RNN says so itself, `by_hand` shows it for the others."""
    simple = nn.RNN(1, 1).nonlinearity
    gated = {"LSTM": 1997, "GRU": 2014}
    return [
        {"class": "RNN", "year": 1990, "activation": simple, "relu": simple == "relu"},
        *({"class": name, "year": year, "activation": GATES, "relu": False} for name, year in gated.items()),
    ]


@torch.no_grad()
def by_hand() -> dict[str, float]:
    """Return the largest difference between torch's LSTM and GRU and their formulas with sigmoid and tanh alone."""
    x = torch.randn(4, 10, 3, generator=torch.Generator().manual_seed(0))  # (B, steps, inputs)
    differences = {}
    for name, step in (("LSTM", lstm_step), ("GRU", gru_step)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = getattr(nn, name)(3, 5, batch_first=True)
        states, _ = net(x)  # (B, steps, hidden)
        state = (torch.zeros(4, 5), torch.zeros(4, 5))
        largest = 0.0
        for t in range(x.shape[1]):
            state = step(net, x[:, t], *state)
            largest = max(largest, float((states[:, t] - state[0]).abs().max()))
        differences[name] = largest
    return differences


def lstm_step(net: nn.LSTM, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return (h, c), each (B, hidden), after one step (Hochreiter and Schmidhuber 1997; forget gate of Gers 2000)."""
    sums = x @ net.weight_ih_l0.T + net.bias_ih_l0 + h @ net.weight_hh_l0.T + net.bias_hh_l0  # (B, 4·hidden)
    let_in, keep, new, let_out = sums.chunk(4, dim=1)
    c = torch.sigmoid(keep) * c + torch.sigmoid(let_in) * torch.tanh(new)
    return torch.sigmoid(let_out) * torch.tanh(c), c


def gru_step(net: nn.GRU, x: Tensor, h: Tensor, unused: Tensor) -> tuple[Tensor, Tensor]:
    """Return (h, unused) after one step (Cho et al. 2014)."""
    from_input = (x @ net.weight_ih_l0.T + net.bias_ih_l0).chunk(3, dim=1)
    from_state = (h @ net.weight_hh_l0.T + net.bias_hh_l0).chunk(3, dim=1)
    reset = torch.sigmoid(from_input[0] + from_state[0])
    keep = torch.sigmoid(from_input[1] + from_state[1])
    new = torch.tanh(from_input[2] + reset * from_state[2])
    return (1 - keep) * new + keep * h, unused


def relu_findings(
    defaults: dict[str, list[dict]],
    by_hand: dict[str, float],
    lenets: dict[str, list[dict]],
    recurrent: dict[str, list[dict]],
) -> list[Finding]:
    """Return what the classes say, and what the trained nets ({name: cells by seed}) say, about ReLU."""
    found = []
    for kind, claim in MOST.items():
        share = np.mean([row["relu"] for row in defaults[kind]])
        found.append(exact((claim, Words(pt="fração das classes", en="share of the classes")), share, share > 0.5))
    for name, largest in by_hand.items():
        claim = Words(
            pt=f"A {name} do torch calcula só com sigmoid e tanh, sem ReLU",
            en=f"torch's {name} computes with sigmoid and tanh alone, without ReLU",
        )
        found.append(exact((claim, FROM_FORMULA), largest, largest <= ROUNDING))
    for other in [name for name in ACTIVATIONS if name != "relu"]:
        claim = Words(
            pt=f"A LeNet-5 acerta mais com ReLU do que com {ACTIVATIONS[other].pt}",
            en=f"LeNet-5 gets more right with ReLU than with {ACTIVATIONS[other].en}",
        )
        gains = points(accuracies_on_test(lenets["relu"]), accuracies_on_test(lenets[other]))
        found.append(over_seeds((claim, POINTS), gains))
    for one, other in RACES:
        first, second = RECURRENT_NAMES[one], RECURRENT_NAMES[other]
        claim = Words(
            pt=f"Lendo linha por linha, com os mesmos parâmetros, “{first.pt}” acerta mais do que “{second.pt}”",
            en=f"Reading row by row, with equal parameters, “{first.en}” gets more right than “{second.en}”",
        )
        gains = points(accuracies_on_test(recurrent[one]), accuracies_on_test(recurrent[other]))
        found.append(over_seeds((claim, POINTS), gains))
    return found
