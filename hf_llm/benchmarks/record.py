"""How a measurement is kept: what was measured, by which command, on what."""

import json
from pathlib import Path

from hf_llm.runs.atomic import write_json, write_text
from hf_llm.runs.manifest import command_line, commit, environment


def write_result(output_dir: Path, result: dict) -> None:
    """Write result.json with the command, the commit and the environment beside the figures."""
    output_dir.mkdir(parents=True, exist_ok=True)
    origin = {"command": command_line(), "commit": commit(), "environment": environment()}
    write_json(output_dir / "result.json", {**origin, **result})


def write_records(path: Path, records: list[dict]) -> None:
    """Write a file with a record a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
