"""To the Hub and back: a run up, a model down, the app as a Space.

A run or a tokenizer goes up in one commit; a model comes down with each hash checked.

    hf-llm hub push runs/verdict me/verdict [--private] [--revision BRANCH] [--create_pr]
    hf-llm hub push runs/verdict me/verdict --export gguf,onnx
    hf-llm hub push runs/tokenizer me/verdict-tokenizer
    hf-llm hub pull me/verdict runs/pulled [--revision COMMIT] [--trust_remote_code] [--max_gigabytes 20]
    hf-llm hub space me/app [--runs runs/verdict runs/mnist/mlp] [--private]

`push --help`, `pull --help` and `space --help` explain the settings. The token is that of `hf auth login`, or of
HF_TOKEN. A free account may host the Space with --hardware zero-a10g; other hardware needs a paid plan of the Hub.
"""

import signal
import sys
from dataclasses import dataclass
from typing import Literal

from hf_llm.config import command, parse, setting
from hf_llm.hub.config import PullConfig, PushConfig, SpaceConfig


@dataclass
class HubConfig:
    action: Literal["push", "pull", "space"] = setting(..., "what to do", positional=True)


@command
def main() -> None:
    for name in {"SIGTERM", "SIGHUP"} & set(dir(signal)):  # what is half done is cleared away, as after Ctrl-C
        signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))
    action = parse(HubConfig, sys.argv[1:2], description=__doc__).action
    sys.argv[:2] = [f"{sys.argv[0]} {action}"]  # so that --help names it
    {"push": push_run, "pull": pull_model, "space": push_app}[action]()


def push_run() -> None:
    config = parse(PushConfig, description=__doc__)
    from hf_llm.hub.push import push

    report(config.run, push(config))


def push_app() -> None:
    config = parse(SpaceConfig, description=__doc__)
    from hf_llm.hub.space import push_space

    report("the app", push_space(config))


def report(what: str, pushed) -> None:
    print(f"{what} → {pushed.url}")
    changed = f"{len(pushed.changed)} files changed" if pushed.changed else "it was there already"
    print(f"commit {pushed.commit}, {changed}")


def pull_model() -> None:
    config = parse(PullConfig, description=__doc__)
    from hf_llm.hub.pull import pull

    pulled = pull(config)
    print(f"{config.repo_id} at commit {pulled.commit} → {config.dir}")
    size = sum(pulled.files.values())
    print(f"{len(pulled.files)} files, {size:,} bytes, each with the hash that the commit names")
    if pulled.left_out:
        more = f" and {len(pulled.left_out) - 8} more" if len(pulled.left_out) > 8 else ""
        print(f"left on the Hub: {', '.join(pulled.left_out[:8])}{more}")
