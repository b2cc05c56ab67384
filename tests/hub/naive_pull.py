"""A pull as one writes it in ten minutes: list, fetch, write. It is what the hostile repositories are tried on first.

python tests/hub/naive_pull.py HUB REPO_ID DIR [windows]
"""

import json
import sys
import urllib.request
from pathlib import Path, PureWindowsPath
from urllib.parse import quote

MOST_PAGES = 50  # or an endless listing would never end


def get(url: str) -> tuple[bytes, str | None]:
    """Return the content at an address, and the address of the next page."""
    with urllib.request.urlopen(url) as answer:
        link = answer.headers.get("Link", "")
        return answer.read(), link[1 : link.index(">")] if 'rel="next"' in link else None


def main(hub: str, repo_id: str, folder: Path, windows: bool) -> None:
    paths, page, pages = [], f"{hub}/api/models/{repo_id}/tree/main?recursive=True", 0
    while page and (pages := pages + 1) <= MOST_PAGES:
        content, page = get(page)
        paths += [entry["path"] for entry in json.loads(content) if entry["type"] == "file"]
    print(f"{pages} pages")
    for path in dict.fromkeys(paths):
        print(path)
        target = folder.joinpath(*PureWindowsPath(path).parts) if windows else folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(get(f"{hub}/{repo_id}/resolve/main/{quote(path)}")[0])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), "windows" in sys.argv[4:])
