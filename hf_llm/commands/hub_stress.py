"""Push to and pull from a Hub that fails in drawn ways, and look at what is left.

    hf-llm hub_stress --faults 20

Connections that break at any byte, errors, truncated and changed bodies, a branch that moves, tokens that expire or
may not write, full disks. Exit code 0 when each fault left the whole model or nothing and an error message, and a pull
without our protection took at least one wrong file in the same faults; 1 otherwise.
"""

from dataclasses import dataclass

from hf_llm.config import SOURCE, command, parse, require, setting

FAKE_HUB = SOURCE / "tests" / "fake_hub"  # runs as a process of its own


@dataclass
class HubStressConfig:
    """Settings of the fault test."""

    faults: int = setting(200, "faults to draw")
    seed: int = setting(0, "seeds the draws")
    output_dir: str | None = setting(
        None, "folder for faults.jsonl, a line a fault, and result.json; default: print only"
    )

    def __post_init__(self):
        require(self.faults >= 1, f"faults must be at least 1, not {self.faults}")
        require(self.seed >= 0, f"seed must not be negative, but is {self.seed}")


@command
def main() -> int:
    config = parse(HubStressConfig, description=__doc__)
    require(FAKE_HUB.is_dir(), f"the Hub that can be made to fail is in {FAKE_HUB}, of a checkout of the project")
    from hf_llm.benchmarks.hub_faults.report import fault_test

    return 0 if fault_test(FAKE_HUB, config.faults, config.seed, config.output_dir) else 1
