"""What the project brings along beside its code: configs/ and results/, in a checkout and in an installed package.

>>> find_config("gpt2/verdict").name
'verdict.yaml'
"""

import difflib
from pathlib import Path

from hf_llm.config.errors import UserError
from hf_llm.config.paths import user_path

PACKAGE = Path(__file__).parents[1]
SOURCE = PACKAGE.parent  # the checkout; of an installed package, where Python finds it


def shipped(name: str) -> Path:
    """Return a folder of the project: at the top of a checkout, or within the package where pip has put it."""
    return PACKAGE / name if (PACKAGE / name).is_dir() else SOURCE / name


def config_names() -> list[str]:
    """Return the names of the project's own configs, such as gpt2/verdict."""
    folder = shipped("configs")
    names = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
    return sorted(name for name in names if not name.startswith("accelerate/"))  # those are for accelerate launch


def find_config(name: str | Path) -> Path:
    """Return the config file called `name`: a file, or a name such as gpt2/verdict, in ./configs or of the project.

    Raises:
        UserError: When there is none; with the nearest name.
    """
    for path in (user_path(name), *(folder / f"{name}.yaml" for folder in (Path("configs"), shipped("configs")))):
        if path.exists():
            return path
    near = difflib.get_close_matches(str(name).removeprefix("configs/").removesuffix(".yaml"), config_names(), n=1)
    known = f"did you mean {near[0]}?" if near else f"there are {', '.join(config_names())}"
    raise UserError(f"config file {name} does not exist; {known}")
