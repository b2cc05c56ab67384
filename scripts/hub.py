"""To the Hub and back: a run or a tokenizer up in one commit, a model down with each hash checked.

    python scripts/hub.py push runs/verdict me/verdict [--private] [--revision BRANCH] [--create_pr]
    python scripts/hub.py push runs/tokenizer me/verdict-tokenizer
    python scripts/hub.py pull me/verdict runs/pulled [--revision COMMIT] [--trust_remote_code] [--max_gigabytes 20]

`push --help` and `pull --help` explain the settings. The token is that of `hf auth login`, or of HF_TOKEN.
"""

import sys
from dataclasses import dataclass, field
from typing import Literal

from hf_llm.config import command, parse
from hf_llm.hub.config import PullConfig, PushConfig


@dataclass
class HubConfig:
    action: Literal["push", "pull"] = field(metadata={"help": "push or pull", "positional": True})


@command
def main() -> None:
    action = parse(HubConfig, sys.argv[1:2], description=__doc__).action
    sys.argv[:2] = [f"{sys.argv[0]} {action}"]  # so that --help names it
    if action == "push":
        config = parse(PushConfig, description=__doc__)
        from hf_llm.hub.push import push

        pushed = push(config)
        what = f"{len(pushed.changed)} files changed" if pushed.changed else "it was there already"
        print(f"{config.run} → {pushed.url}")
        print(f"commit {pushed.commit}, {what}")
    else:
        config = parse(PullConfig, description=__doc__)
        from hf_llm.hub.pull import pull

        pulled = pull(config)
        size = sum(pulled.files.values())
        print(f"{config.repo_id} at commit {pulled.commit} → {config.dir}")
        print(f"{len(pulled.files)} files, {size:,} bytes, each with the hash that the commit names")
        if pulled.left_out:
            more = f" and {len(pulled.left_out) - 8} more" if len(pulled.left_out) > 8 else ""
            print(f"left on the Hub: {', '.join(pulled.left_out[:8])}{more}")


if __name__ == "__main__":
    main()
