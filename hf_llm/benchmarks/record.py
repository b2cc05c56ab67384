"""How a measurement is kept: what was measured, by which command, on what."""

from pathlib import Path

from hf_llm.runs.atomic import write_json
from hf_llm.runs.manifest import command_line, commit, environment


def write_result(output_dir: Path, result: dict) -> None:
    """Write result.json with the command, the commit and the environment beside the figures."""
    output_dir.mkdir(parents=True, exist_ok=True)
    origin = {"command": command_line(), "commit": commit(), "environment": environment()}
    write_json(output_dir / "result.json", {**origin, **result})
