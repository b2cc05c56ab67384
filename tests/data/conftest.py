"""A source of two files, and a mirror of its own on this machine."""

import gzip
import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import hypothesis
import pytest

from hf_llm.data.sources import SOURCES, SourceFile

# a test asserts no time, and what failed once fails again
hypothesis.settings.register_profile("calm", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("calm")


@dataclass
class Mirror:
    """A web server on loopback; `files` is what it has, `asked` what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_off: set[str] = field(default_factory=set)  # of these it sends a half, then hangs up
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"


@pytest.fixture
def mirror(monkeypatch):
    mirror = Mirror()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.removeprefix("/")
            mirror.asked.append(path)
            if path not in mirror.files:
                self.send_error(404)
                return
            content = mirror.files[path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if path in mirror.cut_off else content)

        def log_message(self, *words):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        mirror.address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield mirror
        server.shutdown()


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch) -> dict:
    """The three folders of the search path, empty, and nothing of this machine's own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HF_LLM_DATA_DIR", str(tmp_path / "given"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return {"given": tmp_path / "given", "here": tmp_path / "work" / "data", "cache": tmp_path / "cache" / "hf_llm"}


@pytest.fixture
def add_source(monkeypatch):
    """Return a function that adds a source: (name, path, plain content, addresses)."""

    def add(name: str, path: str, content: bytes, *urls: str) -> None:
        known = SOURCES.get(name, ())
        monkeypatch.setitem(SOURCES, name, (*known, SourceFile(path, hashlib.sha256(content).hexdigest(), urls)))

    return add


@pytest.fixture
def put():
    """Return a function that writes a file, with its folders; a name in .gz is compressed."""

    def put(folder, path: str, content: bytes):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content) if path.endswith(".gz") else content)
        return target

    return put
