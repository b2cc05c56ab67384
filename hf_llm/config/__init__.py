"""Typed settings: a dataclass per job, filled from YAML and flags."""

from hf_llm.config.children import child_environment, python
from hf_llm.config.command import command, program
from hf_llm.config.disk import free_bytes, warn_without, where_possible
from hf_llm.config.droppings import is_dropping, without_droppings
from hf_llm.config.errors import UserError, check_unicode, one_line, quoted, require
from hf_llm.config.files import SOURCE, find_config, shipped
from hf_llm.config.parser import load_yaml, parse, setting
from hf_llm.config.paths import PLACES, home_folder, last_name, library_folder, user_path
from hf_llm.config.repo_id import check_publishing, check_repo_id
from hf_llm.config.shell import flag, read_back, typed
from hf_llm.config.values import count_or_share, nearest
from hf_llm.config.ways_out import advice, has, written

__all__ = [
    "PLACES",
    "SOURCE",
    "UserError",
    "advice",
    "check_publishing",
    "check_repo_id",
    "check_unicode",
    "child_environment",
    "command",
    "count_or_share",
    "find_config",
    "flag",
    "free_bytes",
    "has",
    "home_folder",
    "is_dropping",
    "last_name",
    "library_folder",
    "load_yaml",
    "nearest",
    "one_line",
    "parse",
    "program",
    "python",
    "quoted",
    "read_back",
    "require",
    "setting",
    "shipped",
    "typed",
    "user_path",
    "warn_without",
    "where_possible",
    "without_droppings",
    "written",
]
