"""The app put together: its pages, its public endpoints, and how it is served."""

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Route

from hf_llm.app.config import ON_SPACE, AppConfig
from hf_llm.app.endpoint import endpoint
from hf_llm.app.i18n import i18n
from hf_llm.app.page import App, Page, turn
from hf_llm.app.server.downloads import Downloads
from hf_llm.app.server.drawings import ADDRESS, Drawings
from hf_llm.app.server.library import Library
from hf_llm.app.server.line import Line, Listeners
from hf_llm.app.server.network import Door
from hf_llm.app.server.shell import Shell
from hf_llm.app.server.trainings import Trainings
from hf_llm.config import UserError, advice
from hf_llm.texts import LANGUAGES, text

HERE = Path(__file__).parents[1]
# each is a folder of pages/ and a path; home is the root
PAGES = ("home", "tokenizer", "inside", "generate", "train", "mnist", "foundations", "discussion")
WAITS = {"generate": "writing", "train_bpe": "calculation"}  # the kind of each public function that is no view
SCRIPTS = ("app.js", "choose.js", "draw.js", "picked.js", "typing.js", "projector.js", "save.js")
AFTER_OPENING = 2.0  # seconds in which the first page gets all that it asks for
THEME = gr.themes.Default(
    primary_hue="indigo", neutral_hue="slate",
    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"],  # nothing is fetched
).set(  # what fails the contrast of WCAG AA in the default
    body_text_color_subdued="*neutral_600",
    block_info_text_color="*neutral_600",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_dark="*primary_700",
    button_cancel_background_fill="#b91c1c",
    button_cancel_background_fill_dark="#b91c1c",
)  # fmt: skip


def build(config: AppConfig) -> tuple[gr.Blocks, App]:
    """Return the app with all its pages, and what they share."""
    runs = Path(config.runs)
    trainings = Trainings(runs, config.trainings, config.training_seconds, config.trained_models)
    blocks = gr.Blocks(title="hf_llm", analytics_enabled=False, delete_cache=(3600, 3600))
    blocks.api_open = False  # nothing runs but in its turn
    # Gradio has no public way to give pages a queue of one's own; tests/app/test_line.py holds what this leans on
    blocks._queue = line = Line(blocks, config.requests_per_minute)
    app = App(config, Library(runs, config.hub_models), trainings, PAGES, line=line)
    for name in PAGES[1:]:
        blocks.route(name, f"/{name}", show_in_navbar=False)
    with (
        blocks
    ):  # once for all pages: whenever it is left, Gradio builds its whole server, half a second on a slow machine
        for name in PAGES:
            blocks.current_page = "" if name == "home" else name
            importlib.import_module(f"hf_llm.app.pages.{name}.page").build(Page(app, name))
            if name == "home":
                add_endpoints(app)
    return blocks, app


def add_endpoints(app: App) -> None:
    """Add the public functions of all pages, `ENDPOINTS` in their answers.py."""
    for name in PAGES:
        answers = importlib.import_module(f"hf_llm.app.pages.{name}.answers")
        for api_name, function in getattr(answers, "ENDPOINTS", {}).items():
            gr.api(endpoint(function, app), api_name=api_name, **turn(WAITS.get(api_name, "view")))


def launch(config: AppConfig) -> gr.Blocks:
    """Build and serve the app, in threads of its own.

    Raises:
        UserError: When the port is taken.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    blocks, app = build(config)
    middleware = [
        Middleware(Shell, pages=PAGES),
        Middleware(Door, host=config.host, trusted=config.trusted_hosts, behind_proxy=ON_SPACE),
        Middleware(Downloads, trainings=app.trainings),
        Middleware(Listeners, line=app.line),
    ]
    threading.Thread(target=warm_up, args=[app], daemon=True).start()
    with app.importing:
        try:
            blocks.launch(
                server_name=config.host,
                server_port=config.port or None,
                inbrowser=config.open_browser,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                show_error=False,
                ssr_mode=False,
                enable_monitoring=False,
                run_history=False,
                footer_links=["api"],
                theme=THEME,
                i18n=i18n(),
                css=(HERE / "style.css").read_text(encoding="utf-8"),
                head=scripts(),
                app_kwargs={
                    "middleware": middleware,
                    "routes": [Route(ADDRESS, Drawings(app).answer, methods=["POST"])],
                },
            )
        except OSError as error:  # Gradio's, for a port that is taken
            raise UserError(
                f"port {config.port} of {config.host} is taken or cannot be used"
                f"{advice(port='name another with {}, 0 for any')}"
            ) from error
        import transformers  # noqa: F401  # half a second, in which a browser is busy with the first page
    return blocks


def stay(blocks: gr.Blocks) -> None:
    """Print the URL and serve until the process is ended."""
    # SIGTERM would end the process without what is registered to happen at its exit
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"the app is at {blocks.local_url} (Ctrl-C ends it)", flush=True)
    blocks.block_thread()


def scripts() -> str:
    """Return what every page runs before anything is drawn, as HTML."""
    said = json.dumps({lang: text("app.unreachable", lang) for lang in LANGUAGES})
    sources = [*((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS), f"hf_llm.unreachable = {said};"]
    return "".join(f"<script>{source}</script>" for source in sources)


def warm_up(app: App) -> None:
    """Import what calculations need and load each language's first model, while the reader looks at the first page.

    Not before: imports hold the interpreter for seconds, in which it would serve nothing.
    """
    app.opened.wait()
    time.sleep(AFTER_OPENING)
    import hf_llm.experiments.optimizers.surfaces
    import hf_llm.explain.gpt2_explained
    import hf_llm.tokenization.compare  # noqa: F401

    for name in {name for lang in LANGUAGES for name in app.library.language_models(lang)[:1]}:
        with contextlib.suppress(UserError):  # a damaged model: whoever chooses it reads why
            app.library.language_model(name)
