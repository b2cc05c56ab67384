"""Settings of the web app. No heavy import, so that `--help` answers at once."""

import os
from dataclasses import dataclass, field

from hf_llm.config import require

ON_SPACE = "SPACE_ID" in os.environ  # Hugging Face sets it on a Space


@dataclass
class AppConfig:
    """Where the models are, who may reach the app, and how much one visitor may ask for."""

    runs: str = field(
        default="runs",
        metadata={"help": "folder of run folders: the models to choose from, and where new ones are trained"},
    )
    results: str = field(
        default="results",
        metadata={"help": "folder of the full results of the experiments; a checkout has them"},
    )
    hub_models: list[str] = field(
        default_factory=list,
        metadata={"help": "Hub ids of causal language models that may be chosen beside the runs, such as gpt2"},
    )
    host: str = field(
        default="0.0.0.0" if ON_SPACE else "127.0.0.1",
        metadata={"help": "address to listen on; 0.0.0.0 lets other machines of the network in"},
    )
    port: int = field(default=7860, metadata={"help": "port to listen on; 0 = any free one"})
    open_browser: bool = field(default=False, metadata={"help": "open the page in the browser once it is ready"})
    requests_per_minute: int = field(
        default=240,
        metadata={"help": "calls one address may make a minute, typing included; 0 = no limit"},
    )
    max_characters: int = field(
        default=20_000, metadata={"help": "longest text a visitor may enter; a corpus may be ten times as long"}
    )
    training_steps: int = field(default=1000, metadata={"help": "most optimizer steps of a training in the page"})
    training_seconds: int = field(default=600, metadata={"help": "a training in the page is stopped after so long"})
    trainings: int = field(default=1, metadata={"help": "how many trainings may run at once"})

    def __post_init__(self):
        require(0 <= self.port < 65536, f"port must be between 0 and 65535, not {self.port}")
        for name in ("max_characters", "training_steps", "training_seconds", "trainings"):
            require(getattr(self, name) >= 1, f"{name} must be at least 1, not {getattr(self, name)}")
        require(
            self.requests_per_minute >= 0,
            f"requests_per_minute must be at least 1, or 0 for no limit, not {self.requests_per_minute}",
        )
