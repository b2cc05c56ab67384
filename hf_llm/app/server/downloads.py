"""A trained model to take home, at an address of its own: its run folder as a zip, packed when somebody asks for it.

Gradio's own download button would tell the browser where the file lies on this machine.
"""

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hf_llm.app.server.trainings import FOLDER, Trainings

PREFIX, SUFFIX = "/download/", ".zip"


def address(name: str) -> str:
    """Return the address, beside the pages, of the archive of the training called `name`."""
    return f".{PREFIX}{name.removeprefix(f'{FOLDER}/')}{SUFFIX}"


class Downloads:
    """ASGI middleware that answers `GET /download/<training>.zip`."""

    def __init__(self, app: ASGIApp, trainings: Trainings):
        self.app, self.trainings = app, trainings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        if not (path.startswith(PREFIX) and path.endswith(SUFFIX)):
            await self.app(scope, receive, send)
            return
        archive = await run_in_threadpool(self._archive, path.removeprefix(PREFIX).removesuffix(SUFFIX))
        answer = Response(status_code=404) if archive is None else FileResponse(archive, filename=archive.name)
        await answer(scope, receive, send)

    def _archive(self, name: str):
        training = self.trainings.get(f"{FOLDER}/{name}")
        return training and self.trainings.archive(training)
