"""Run commands in drawn hostile environments, and look at how each ends and at what is left.

    hf-llm hostile_test --environments 30

Disks without fsync, flock or chmod, full, read-only, linked and closed ones; names that shells, lists of files and
UTF-8 stumble over; variables and streams that are missing or wrong; texts and models that are not what they should be.
Exit code 0 when each command ended well, or with one line and a code that is not 0, without a traceback, and left
nothing half written; 1 otherwise.
"""

import os
from dataclasses import dataclass

from hf_llm.config import command, parse, require, setting


@dataclass
class HostileTestConfig:
    """Settings of the test in hostile environments."""

    environments: int = setting(300, "environments to draw")
    seed: int = setting(0, "seeds the draws")
    first: int = setting(0, "number of the first one: to run one of them again")
    output_dir: str | None = setting(
        None, "folder for environments.jsonl, a line an environment, and result.json; default: print only"
    )

    def __post_init__(self):
        require(self.environments >= 1, f"environments must be at least 1, not {self.environments}")
        for name in ("seed", "first"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, but is {getattr(self, name)}")


@command
def main() -> int:
    # the commands fork from this process: no library may have started threads in it, nor look for the network
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    config = parse(HostileTestConfig, description=__doc__)
    require(os.path.isdir("/proc/self/fd"), "the commands fork and are watched through /proc; run it on Linux")
    from hf_llm.benchmarks.hostile.report import hostile_test

    return 0 if hostile_test(config.environments, config.seed, config.first, config.output_dir) else 1
