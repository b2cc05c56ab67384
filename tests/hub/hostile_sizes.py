"""Repositories that use up memory or time: headers, cards and settings that grow, a listing without end."""

import struct

from hostile_case import Case


def header_of(tensors: int) -> bytes:
    """Return safetensors whose header names so many empty tensors, 100 bytes each."""
    entry = '"%040d": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}'
    header = ("{" + ",".join(entry % number for number in range(tensors)) + "}").encode()
    return struct.pack("<Q", len(header)) + header


def card_with(metadata: str) -> bytes:
    return f"---\n{metadata}\n---\n# A model\n".encode()


def bomb() -> str:
    """Return "billion laughs" in YAML: nine lines that stand for a billion words."""
    lines = [f"a: &a [{', '.join(['lol' * 300] * 10)}]"]
    for before, name in zip("abcdefgh", "bcdefghi"):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    return "\n".join(lines)


SIZES = [
    Case(
        "a header of 10 GB, announced",
        lambda model, canary: model | {"model.safetensors": struct.pack("<Q", 10**10)},
        "read_header",
        "announces a header of 10,000,000,000 bytes",
        fires=lambda said: "MemoryError" in said,
    ),
    Case(
        "a header of 30 MB, real",
        lambda model, canary: model | {"model.safetensors": header_of(300_000)},
        "list_tensors",
        "has a header of",
        fires=lambda said: "a lot of memory" in said,
    ),
    Case(
        "a card that grows",
        lambda model, canary: model | {"README.md": card_with(bomb())},
        "read_card",
        "YAML aliases",
        fires=lambda said: "MemoryError" in said,
    ),
    Case(
        "a card of many folds",
        lambda model, canary: model | {"README.md": card_with("a: " + "[" * 5000 + "]" * 5000)},
        "read_card",
        "nested too deeply",
        fires=lambda said: "RecursionError" in said,
    ),
    Case(
        "a config of many folds",
        lambda model, canary: model | {"config.json": b"[" * 100_000 + b"]" * 100_000},
        "read_config",
        "config.json is not JSON, or nested too deeply",
        fires=lambda said: "RecursionError" in said,
    ),
    Case(
        "a config of 20 MB",
        lambda model, canary: model | {"config.json": b"[" + b"{}," * 7_000_000 + b"{}]"},
        "read_config",
        "8,388,608 is the most",
        fires=lambda said: "MemoryError" in said,
    ),
    Case(
        "a listing without end",
        lambda model, canary: model,
        refusal="holds more than 10,000 files",
        fires=lambda said: "51 pages" in said,
        tweak=lambda hub, canary: setattr(hub, "endless_listings", True),
    ),
]
