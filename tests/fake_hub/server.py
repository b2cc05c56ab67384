"""The fake Hub: its state, its addresses, its faults.

    with HubServer() as hub:
        subprocess.run([...], env=os.environ | hub.environment(home))  # huggingface_hub reads it when it is imported
        hub.repository("me/verdict").files()

It has two addresses, as the Hub has: its own, and a storage that is another host to a client and must never see a
token of the Hub. A third one is for the harness in another process that arranges faults (control.py).
"""

import hashlib
import secrets
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from fake_hub.control import answer_control
from fake_hub.listener import Fault, Listener
from fake_hub.messages import Refused
from fake_hub.repositories import File, Repository
from fake_hub.routes import answer_hub
from fake_hub.storage import answer_storage
from fake_hub.xet import XetStorage


@dataclass
class Token:
    """Who a token belongs to, and what it allows."""

    user: str
    write: bool = True
    valid: bool = True


class HubServer:
    """The Hub's state and its two listeners.

    Attributes:
        url, storage_url, control_url: Its addresses.
        token, reader_token: Tokens of the user `me`, who may write with the first one only.
        tokens: {token: what it allows}.
        faults: What is still to go wrong.
        requests: (method, path, status) of each request so far, in order.
        leaks: Paths of storage requests that carried a token of the Hub.
        objects: {SHA-256: content} of large files that came over LFS.
        page_size: Files a page of a listing.
        endless_listings: Whether a listing begins anew where it should end.
        repeats_tokens: Whether errors repeat the token that was sent, as a careless Hub or proxy would.
    """

    def __init__(self):
        self.token, self.reader_token, other = (f"hf_{secrets.token_hex(17)}" for _ in range(3))
        self.xet_token = f"xet_{secrets.token_hex(17)}"
        self._users = {
            self.token: Token("me"),
            self.reader_token: Token("me", write=False),
            other: Token("somebody"),
        }
        self.lock = threading.RLock()
        self.clear()
        self.kept: dict[str, tuple] = {}  # name: what `keep` of control.py put there
        self._servers = [Listener(self, answer) for answer in (answer_hub, answer_storage, answer_control)]
        self.url, self.storage_url, self.control_url = (
            f"http://127.0.0.1:{server.server_port}" for server in self._servers
        )

    def clear(self) -> None:
        """Forget all but the addresses and the tokens, which are as they were."""
        with self.lock:
            self.restore_tokens()
            self.repositories: dict[tuple[str, str], Repository] = {}
            self.objects: dict[str, bytes] = {}
            self.xet = XetStorage()
            self.faults: list[Fault] = []
            self.requests: list[tuple[str, str, int]] = []
            self.leaks: list[str] = []
            self.page_size = 1000
            self.endless_listings = False
            self.repeats_tokens = False

    def restore_tokens(self) -> None:
        """Let all tokens be valid and allow what they did at first."""
        self.tokens = {token: replace(user) for token, user in self._users.items()}

    def __enter__(self) -> "HubServer":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def environment(self, home: Path, token: str | None = None, xet: bool = True) -> dict[str, str]:
        """Return the variables of a client's process: this Hub, a home of its own, a token (default: the writer's)."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": self.token if token is None else token,
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "0" if xet else "1",
            "HF_XET_CLIENT_RETRY_BASE_DELAY": "20ms",
            "HF_XET_CLIENT_RETRY_MAX_DURATION": "2s",
        }

    def repository(self, name: str, type: str = "model") -> Repository:
        """Return a repository.

        Raises:
            Refused: When there is none.
        """
        if (type, name) not in self.repositories:
            raise Refused(404, "Repository not found", "RepoNotFound")
        return self.repositories[type, name]

    def create(self, name: str, files: dict[str, bytes] | None = None, type: str = "model", **settings) -> Repository:
        """Make a repository, with a commit of files whatever their names; safetensors become large files."""
        repository = self.repositories[type, name] = Repository(type, name, **settings)
        if files is not None:
            entries = {
                path: self.large(content) if path.endswith(".safetensors") else File.regular(content)
                for path, content in files.items()
            }
            repository.change("main", entries, [], "files")
        return repository

    def large(self, content: bytes, **lies) -> File:
        """Store the content and return a large file; `lies` replace what the Hub tells about it."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.objects[sha256] = content
        return replace(File.large(sha256, len(content)), **lies)

    def content(self, file: File) -> bytes:
        """Return a file's bytes, wherever they came from.

        Raises:
            Refused: When a large file was never uploaded.
        """
        if file.content is not None:
            return file.content
        if file.sha256 in self.objects:
            return self.objects[file.sha256]
        if file.sha256 in self.xet.hashes:
            return self.xet.content(self.xet.hashes[file.sha256])
        raise Refused(404, "Entry not found", "EntryNotFound")

    def fail(self, kind: str, method: str, path: str, **details) -> Fault:
        """Arrange for a fault."""
        self.faults.append(Fault(kind, method, path, **details))
        return self.faults[-1]

    def next_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, and let those of the Hub's own state take place."""
        with self.lock:
            fault = next((fault for fault in self.faults if fault.fits(method, path)), None)
            if fault is None:
                return None
            fault.times -= 1
            if fault.kind == "stale":
                for repository in self.repositories.values():
                    files = repository.files() | {"other.txt": File.regular(b"somebody was faster\n")}
                    repository.write("main", files, "somebody else's commit")
            if fault.kind in ("expire", "forbid"):
                for token in self.tokens.values():
                    setattr(token, "valid" if fault.kind == "expire" else "write", False)
            return fault
