"""Is ReLU the standard? What the classes of the installed libraries compute when nobody chooses the activation (L8).

That says what their authors took for the standard. How well each activation does is measured in `activations.py` and
`recurrent.py`.
"""

import pandas as pd
import transformers
from torch import nn

from hf_llm.experiments.frame import Finding, Study, Tables, exact

# the image classifiers of transformers that mix pixels by convolutions alone and let one choose the activation, with
# the year in which the library's documentation says that they came out
CONVOLUTIONAL = {
    "ResNet": 2015, "MobileNetV1": 2017, "MobileNetV2": 2018, "EfficientNet": 2019, "Bit": 2019, "RegNet": 2020,
    "PPLCNet": 2021, "ConvNext": 2022, "ConvNextV2": 2023, "HGNetV2": 2024,
}  # fmt: skip
GATED = {"LSTM": 1997, "GRU": 2014}
MAJORITY = 0.5  # of the families of a kind: what more of them have is their standard


def measure(study: Study) -> Tables:
    """Read the defaults off the classes; nothing is trained."""
    return {"defaults": pd.DataFrame(convolutional_defaults() + recurrent_defaults())}


def convolutional_defaults() -> list[dict]:
    """Return the default activation of each convolutional class of transformers; relu6 is ReLU cut off at six."""
    used = {name: getattr(transformers, f"{name}Config")().hidden_act for name in CONVOLUTIONAL}
    return [{"kind": "cnn", "class": name, "year": year, "activation": used[name],
             "relu": used[name].startswith("relu")} for name, year in CONVOLUTIONAL.items()]  # fmt: skip


def recurrent_defaults() -> list[dict]:
    """Return what torch's recurrent classes compute with.

    nn.RNN says so itself; that the two with gates have no other activation `recurrent.py` shows by their formulas.
    """
    simple = nn.RNN(1, 1).nonlinearity
    return [
        {"kind": "rnn", "class": "RNN", "year": 1990, "activation": simple, "relu": simple == "relu"},
        *({"kind": "rnn", "class": name, "year": year, "activation": "sigmoid_tanh", "relu": False}
          for name, year in GATED.items()),
    ]  # fmt: skip


def findings(tables: Tables) -> list[Finding]:
    shares = tables["defaults"].groupby("kind")["relu"].mean()
    return [exact(f"relu_in_{kind}s", shares[kind], MAJORITY) for kind in ("cnn", "rnn")]


SUMMARIES = {"defaults": lambda tables: tables["defaults"][["kind", "class", "activation"]]}
