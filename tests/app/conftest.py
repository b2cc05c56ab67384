"""The app on three small models that are trained once: a GPT-2 on the sample, an MLP and a LeNet on digits."""

import shutil
from pathlib import Path

import pytest

from hf_llm.app.config import AppConfig
from hf_llm.app.page import App
from hf_llm.app.server.build import build, launch
from hf_llm.recipes.classifier import train_classifier
from hf_llm.recipes.classifier_config import ClassifierConfig
from hf_llm.recipes.pretrain import pretrain
from hf_llm.training.config import PretrainConfig

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
SLOWEST = 120_000  # milliseconds in which a busy machine, too, shows what a test waits for


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """A folder with the run folders `story`, `mlp` and `lenet`."""
    folder = tmp_path_factory.mktemp("runs")
    short = {"max_steps": 6, "warmup_steps": 0, "precision": "fp32", "threads": 1, "eval_steps": 6}
    pretrain(
        PretrainConfig(
            output_dir=str(folder / "story"), corpus="sample", vocab_size=300, model="nano", n_positions=64,
            n_layer=2, n_head=2, n_embd=32, total_batch_size=8, per_device_train_batch_size=8, sample_tokens=4, **short,
        )
    )  # fmt: skip
    for model in ("mlp", "lenet"):
        train_classifier(
            ClassifierConfig(
                output_dir=str(folder / model), data="digits", model=model,
                hidden_sizes=[16, 16] if model == "mlp" else None, total_batch_size=64,
                per_device_train_batch_size=64, **short,
            )
        )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def built(runs):
    """The Gradio blocks and what the pages share."""
    return build(AppConfig(runs=str(runs), requests_per_minute=0))


@pytest.fixture(scope="session")
def app(built) -> App:
    return built[1]


@pytest.fixture(scope="session")
def server(runs) -> str:
    """The address of the app, running."""
    blocks = launch(AppConfig(runs=str(runs), requests_per_minute=0, port=0))
    yield blocks.local_url
    blocks.close()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch(browser, server):
    """Return a new page of the browser, watched."""
    from page_checks import Watched

    contexts = []

    def open_one(width: int = 1280, scheme: str = "light", bypass_csp: bool = False) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=bypass_csp
        )
        context.set_default_timeout(SLOWEST)
        contexts.append(context)
        return Watched(context.new_page(), server)

    yield open_one
    for context in contexts:
        context.close()
