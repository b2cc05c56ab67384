"""Typed settings: a dataclass a job, filled from YAML and flags."""

from hf_llm.config.command import command
from hf_llm.config.errors import UserError, require
from hf_llm.config.parser import as_dict, load_yaml, nearest, parse

__all__ = ["UserError", "as_dict", "command", "load_yaml", "nearest", "parse", "require"]
