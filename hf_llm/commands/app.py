"""The web app: see inside a model that you trained.

The file space_app.py, which a Hugging Face Space runs, is the same.

hf-llm app
hf-llm app --runs runs --port 7861 --open_browser
"""

from hf_llm.app.config import AppConfig
from hf_llm.config import command, parse


@command
def main() -> None:
    config = parse(AppConfig, description=__doc__)
    from hf_llm.app.quick_import import quick_start

    with quick_start():
        from hf_llm.app.server.build import launch, stay

        blocks = launch(config)
    stay(blocks)
