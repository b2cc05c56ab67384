"""Calls that do not go through Gradio's queue, in a fair order all the same."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hf_llm.app.server.line import ALL, WAITING
from hf_llm.config import require
from hf_llm.texts import both


class Turns:
    """So many calls at once, one of each session; the others wait in the order in which they came.

    Since a session waits with one call only, whoever asks for more stands behind the others, and none waits for ever.
    """

    def __init__(self, at_once: int):
        self._free = asyncio.Semaphore(at_once)
        self._sessions: dict[str, asyncio.Lock] = {}
        self._asked: Counter[str] = Counter()  # calls of each session that wait or run

    @asynccontextmanager
    async def turn(self, session: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the context ends.

        Raises:
            UserError: When too many calls wait, of this session or of all.
        """
        require(self._asked.total() < ALL, both("app.all_full", seconds=30))
        require(self._asked[session] <= WAITING, both("app.too_many_waiting", most=WAITING))
        self._asked[session] += 1
        try:
            async with self._sessions.setdefault(session, asyncio.Lock()), self._free:
                yield
        finally:
            self._asked[session] -= 1
            if not self._asked[session]:
                del self._asked[session], self._sessions[session]
