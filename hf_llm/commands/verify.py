"""Was this run made as its manifest says? Repeat it: identical, equal or different.

    hf-llm verify runs/verdict

Exit code 0 when the repetition is identical, or equal within 1e-3 on another environment (it says what differs);
1 when it is different or a file was changed after the run.
"""

from dataclasses import dataclass
from pathlib import Path

from hf_llm.config import command, parse, setting


@dataclass
class VerifyConfig:
    run: str = setting(..., "folder of a finished run", positional=True)


@command
def main() -> int:
    config = parse(VerifyConfig, description=__doc__)
    from hf_llm.recipes.verify import verify

    verdict = verify(Path(config.run))
    print(verdict)
    return 1 if verdict.answer == "different" else 0
