"""Serve a fake Hub until Ctrl-C: `python tests/fake_hub`, to try the scripts by hand.

Prints the environment of its clients as a shell reads it, and the addresses that only a harness needs.
"""

import contextlib
import sys
import threading
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # Python puts this folder there, whose modules have a package
from fake_hub.server import HubServer  # noqa: E402

with HubServer() as hub:
    addresses = {"FAKE_HUB_STORAGE": hub.storage_url, "FAKE_HUB_CONTROL": hub.control_url}
    for name, value in {**hub.environment(Path("hub-home")), **addresses}.items():
        print(f"export {name}={value}")
    print(flush=True)  # an empty line: that was all
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
