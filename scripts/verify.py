"""Was this run made as its manifest says? Repeats it and answers identical, equal or different.

    python scripts/verify.py runs/verdict

Exit code 0 when the repetition is identical, or equal within 1e-3 on another environment (it says what differs);
1 when it is different or a file was changed after the run.
"""

import argparse
from pathlib import Path

from hf_llm.config import command


@command
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    folder = parser.parse_args().run
    from hf_llm.training.verify import verify

    verdict = verify(folder)
    print(verdict)
    return 1 if verdict.answer == "different" else 0


if __name__ == "__main__":
    main()
