"""Kill trainings at drawn times, resume each, and compare it with an undisturbed run.

The runs are killed with SIGKILL.

    hf-llm crash_test --kills 5

Exit code 0 when all runs end with the same weights and the same log; 1 otherwise.
"""

import os
from dataclasses import dataclass

from hf_llm.config import command, parse, require, setting


@dataclass
class CrashTestConfig:
    """Settings of the crash test."""

    kills: int = setting(100, "small pretrainings, each killed once and started again")
    save_state_kills: int = setting(15, "the same with accelerate's save_state, to see that the test can fail; 0: none")
    seed: int = setting(0, "seeds the times of the kills")
    output_dir: str | None = setting(
        None, "folder for kills.jsonl, a line a kill, and result.json; default: print only"
    )

    def __post_init__(self):
        require(self.kills >= 1, f"kills must be at least 1, not {self.kills}")
        for name in ("save_state_kills", "seed"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, but is {getattr(self, name)}")


@command
def main() -> int:
    # the runs fork from this process: no library may have started threads in it, nor look for the network
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    config = parse(CrashTestConfig, description=__doc__)
    require(hasattr(os, "fork"), "the crash test forks its runs, which this system cannot; run it on Linux")
    from hf_llm.benchmarks.crash.report import crash_test

    return 0 if crash_test(config.kills, config.save_state_kills, config.seed, config.output_dir) else 1
