"""Settings of the web app. No heavy import, so that `--help` answers at once."""

import os
from dataclasses import dataclass

from hf_llm.config import UserError, require, setting, shipped, written
from hf_llm.texts import both

ON_SPACE = "SPACE_ID" in os.environ  # Hugging Face sets it on a Space


@dataclass
class AppConfig:
    """Where the models are, who may reach the app, and how much one visitor may ask for."""

    runs: str = setting("runs", "folder of run folders: the models to choose from, and where new ones are trained")
    results: str = setting(str(shipped("results")), "folder of the full results of the experiments")
    hub_models: list[str] = setting(
        [], "Hub ids of causal language models that may be chosen beside the runs, such as gpt2"
    )
    host: str = setting(
        os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if ON_SPACE else "127.0.0.1"),
        "address to listen on; 0.0.0.0 lets other machines of the network in; GRADIO_SERVER_NAME sets the default",
    )
    trusted_hosts: list[str] = setting(
        [], "names, such as app.example.org, under which a proxy serves the app; on this machine alone it answers to "
        "localhost only"
    )  # fmt: skip
    port: int | None = setting(
        None, "port to listen on; 0 = any free one; default what GRADIO_SERVER_PORT says, or 7860"
    )
    open_browser: bool = setting(False, "open the page in the browser once it is ready")
    requests_per_minute: int = setting(240, "calls one open page may make a minute, typing included; 0 = no limit")
    max_characters: int = setting(20_000, "longest text a visitor may enter; a corpus may be ten times as long")
    training_steps: int = setting(1000, "most optimizer steps of a training in the page")
    training_seconds: int = setting(600, "a training in the page is stopped after so long")
    trainings: int = setting(1, "how many trainings may run at once; the next ones wait for their turn")
    trained_models: int = setting(100, "how many models trained in the page are kept; then no new one is started")
    count_predictions: bool = setting(
        False,
        "count how many of a class predict what on the page of questions, and show it there; nothing else is kept",
    )

    def __post_init__(self):
        if self.port is None:
            said = os.environ.get("GRADIO_SERVER_PORT") or "7860"
            set_port = f"set {written('port')}, or unset it"
            require(said.isdecimal(), f"GRADIO_SERVER_PORT must be a port, not {said!r}; {set_port}")
            self.port = int(said)
        require(0 <= self.port < 65536, f"port must be between 0 and 65535, not {self.port}")
        for name in ("max_characters", "training_steps", "training_seconds", "trainings", "trained_models"):
            require(getattr(self, name) >= 1, f"{name} must be at least 1, not {getattr(self, name)}")
        require(
            self.requests_per_minute >= 0,
            f"requests_per_minute must be at least 1, or 0 for no limit, not {self.requests_per_minute}",
        )


def checked(text: str, most: int) -> str:
    """Return a visitor's text, which the browser's own limit does not bound.

    Raises:
        UserError: When it is longer than `most` characters or is no valid Unicode.
    """
    if len(text) > most:
        raise UserError(both("app.too_long", most=most, length=len(text)))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(both("app.not_unicode")) from None
    return text
