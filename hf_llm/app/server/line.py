"""How calls wait for their turn: Gradio's queue, made fair between sessions, bounded, and closed to nobody who behaves.

- Calls of one kind (`KINDS` in page.py) wait together, apart from the others: a class that waits for a lab keeps nobody
  from opening a page.
- Within a kind sessions take turns: the second call of a session waits behind the first ones of the others.
- A session has one lab at a time, so many calls waiting, and so many a minute. A session, not an address: all of a
  class may come from one. Who names no session shares that of his address.
- What nobody listens to is dropped when its turn comes, so that a script which asks and goes away delays nobody.
- A refusal is an answer like any other: a message in the reader's language that says what to do.
"""

import time
from asyncio import Queue as AsyncQueue
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from urllib.parse import parse_qs

import gradio as gr
from gradio import route_utils
from gradio.queueing import Event, Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import error_payload
from starlette.types import ASGIApp, Receive, Scope, Send

from hf_llm.app.guarded import shown_error
from hf_llm.texts import Language, Translated, both, language_of, text

LAB = "lab"  # the kind of which a session has one at a time
WAITING = 20  # calls of one session that may wait
ALL = 2000  # calls that may wait, of all sessions together
UNHEARD = 15.0  # seconds after a call in which somebody must listen for its answer
WINDOW, SESSIONS = 60.0, 10_000  # seconds of the calls that are counted, and how many sessions are remembered
STREAMS = ("/gradio_api/queue/data", "/gradio_api/call/")


class Line(Queue):
    """The queue of the app.

    Args:
        blocks: The app's pages.
        calls_a_minute: Of one session; 0 for no limit.
        clock: Seconds; a test's own.
    """

    def __init__(self, blocks: gr.Blocks, calls_a_minute: int = 0, clock: Callable[[], float] = time.monotonic):
        super().__init__(
            live_updates=True, concurrency_count=blocks.max_threads, update_intervals=1, max_size=None, blocks=blocks,
            default_concurrency_limit=1,
        )  # fmt: skip
        self.calls_a_minute, self.clock = calls_a_minute, clock
        self.listeners: Counter[str] = Counter()  # open streams of answers, by session or by call
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()  # times of each session's last calls
        self._who: dict[str, str] = {}  # whose each call is that waits or runs
        self._served: Counter[str] = Counter()  # the round of each kind that is served now
        self._rounds: OrderedDict[tuple[str, str], int] = OrderedDict()  # of each kind and session: of its last call

    async def push(self, body, request, username):
        """Take a call into the line, at its place, or answer it with a refusal; see `Queue.push`."""
        if body.fn_index is None:
            return await super().push(body, request, username)
        fn = route_utils.get_fn(self.blocks, None, body)
        who = body.session_hash or f"address {request.client.host if request.client else ''}"
        refusal = self._refusal(fn.concurrency_id, who)
        if refusal is not None:
            return True, await self._refuse(refusal, fn, body, request, username), "success"
        done, event_id, state = await super().push(body, request, username)
        if done and event_id in self.event_ids_to_events:
            self._who[event_id] = who
            self._into_place(self.event_ids_to_events[event_id])
        return done, event_id, state

    def place(self, session: str | None, kind: str) -> tuple[int, int] | None:
        """Return the place, from 1, of a session's first call that waits, and how many do; None if none of its does."""
        waiting = self._waiting(kind)
        for place, event in enumerate(waiting, start=1):
            if event.session_hash == session:
                return place, len(waiting)
        return None

    def get_events(self):
        """Return the calls whose turn it is, as `Queue.get_events` does; those that nobody listens to have none."""
        for queue in self.event_queue_per_concurrency_id.values():
            for event in filter(self._unheard, queue.queue[:1]):
                queue.queue.remove(event)
                self.event_ids_to_events.pop(event._id, None)
        for event in filter(self._unheard, (event for job in self.active_jobs if job for event in job)):
            event.alive = False  # one that yields ends at its next part
        found = super().get_events()
        if found is not None:
            (event, *_), _, kind = found
            self._served[kind] = event.round
        return found

    def compute_analytics_summary(self, records):
        """Return what Gradio's monitoring page would show, which is off: to compute it at each call takes its time."""
        return self.cached_event_analytics_summary

    def _unheard(self, event: Event) -> bool:
        late = time.monotonic() - event.enqueue_time > UNHEARD
        return late and not (self.listeners[event.session_hash] or self.listeners[event._id])

    def _waiting(self, kind: str) -> list[Event]:
        queue = self.event_queue_per_concurrency_id.get(kind)
        return queue.queue if queue else []

    def _running(self, kind: str) -> list[Event]:
        return [event for job in self.active_jobs if job for event in job if event.concurrency_id == kind]

    def _count(self, events: list[Event], who: str) -> int:
        return sum(self._who.get(event._id) == who for event in events)

    def _into_place(self, event: Event) -> None:
        """Move a call that has just come, the last of its kind, to its place.

        Sessions take turns (start-time fair queueing, Goyal et al. 1996): each call of a session is a round later than
        its last one, and no earlier than the round that is served now. So a session that asks for more waits behind the
        others, and none waits for ever.
        """
        kind, who = event.concurrency_id, self._who[event._id]
        event.round = max(self._served[kind], self._rounds.pop((kind, who), -1) + 1)
        self._rounds[kind, who] = event.round
        while len(self._rounds) > SESSIONS:
            self._rounds.popitem(last=False)
        waiting = self._waiting(kind)
        waiting.remove(event)
        later = (place for place, other in enumerate(waiting) if other.round > event.round)
        place = next(later, len(waiting))
        waiting.insert(place, event)
        self.broadcast_estimations(kind, place)

    def _refusal(self, kind: str, who: str) -> Translated | None:
        """Return why a call may not wait; None where it may."""
        known = {event_id: who for event_id, who in self._who.items() if event_id in self.event_ids_to_events}
        self._who = known
        if kind == LAB and self._count([*self._waiting(kind), *self._running(kind)], who):
            return both("app.one_lab")
        waiting = [event for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue]
        if len(waiting) >= ALL:
            return both("app.all_full", seconds=30)
        if self._count(waiting, who) >= WAITING:
            return both("app.too_many_waiting", most=WAITING)
        return self.hurried(who)

    def hurried(self, who: str) -> Translated | None:
        """Count a call of a session, or return why it may not make one now."""
        if not self.calls_a_minute:
            return None
        now, times = self.clock(), self._calls.setdefault(who, deque())
        self._calls.move_to_end(who)
        while len(self._calls) > SESSIONS:
            self._calls.popitem(last=False)
        while times and now - times[0] >= WINDOW:
            times.popleft()
        if len(times) >= self.calls_a_minute:
            return both("app.too_fast", most=self.calls_a_minute, seconds=10)
        times.append(now)
        return None

    async def _refuse(self, refusal: Translated, fn, body, request, username) -> str:
        """Answer a call with an error, as a handler would; return its id."""
        lang = _language(fn, body, request)
        said = refusal.in_language(lang)
        if any(target[1] == "load" for target in fn.targets):  # without what it opens with, a page is empty
            said += f' <a href="">{text("app.reload", lang)}</a>'
        event = Event(body.session_hash, fn, request, username)
        async with self.pending_message_lock:
            if event.session_hash not in self.pending_messages_per_session:
                self.pending_messages_per_session[event.session_hash] = AsyncQueue()
            self.pending_event_ids_session.setdefault(event.session_hash, set()).add(event._id)
        output = error_payload(shown_error(said, lang), False)
        self.send_message(event, ProcessCompletedMessage(output=output, title=output["title"], success=False))
        return event._id


def _language(fn, body, request) -> Language:
    """Return the language of the page that calls, or the one that the client asks for."""
    for control, value in zip(fn.inputs, body.data):
        if getattr(control, "label", None) == "lang" and isinstance(value, str):
            return language_of(value)
    return language_of(request.headers.get("accept-language", "en"))


class Listeners:
    """ASGI middleware that tells the line who listens: each open stream of answers, by its session or its call."""

    def __init__(self, app: ASGIApp, line: Line):
        self.app, self.line = app, line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _stream(scope)
        if name is None:
            await self.app(scope, receive, send)
            return
        listeners = self.line.listeners
        listeners[name] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            listeners[name] -= 1
            if not listeners[name]:
                del listeners[name]


def _stream(scope: Scope) -> str | None:
    """Return the session or the call whose answers a request waits for; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(STREAMS):
        return None
    if scope["path"].startswith(STREAMS[1]):
        return scope["path"].rstrip("/").rpartition("/")[2]
    return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [None])[0]
