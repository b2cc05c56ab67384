"""The web app: see inside a model that you trained. Also the file that a Hugging Face Space runs.

python space_app.py
python space_app.py --runs runs --port 7861 --open_browser
"""

from hf_llm.app.config import AppConfig
from hf_llm.config import command, parse


@command
def main() -> None:
    config = parse(AppConfig, description=__doc__)
    from hf_llm.app.server.build import launch

    launch(config)


if __name__ == "__main__":
    main()
