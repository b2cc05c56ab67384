"""Measure what the README and the lab notebook quote, and write it to a results folder.

python scripts/benchmark.py verdict --output_dir results/verdict
"""

import argparse
import importlib
from pathlib import Path

from hf_llm.config import command

BENCHMARKS = {
    "verdict": "bits per byte on the last 10 % of The Verdict, five seeds",
    "verdict-sweep": "how its configuration was chosen, on the first 90 %",
    "shakespeare": "nanoGPT's CPU recipe on Tiny Shakespeare, three seeds",
    "training-speed": "our loop, Trainer and a bare loop on the same work",
    "planner": "predicted against measured memory",
}


@command
def main() -> None:
    names = "\n".join(f"  {name:<15} {text}" for name, text in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{names}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=BENCHMARKS, metavar="NAME", help="one of the above")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="D", help="folder for result.json")
    arguments = parser.parse_args()
    benchmark = importlib.import_module(f"hf_llm.benchmarks.{arguments.name.replace('-', '_')}")
    benchmark.run(arguments.output_dir)


if __name__ == "__main__":
    main()
