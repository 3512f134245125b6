"""The streams of events: one look a second for all of them together, however many there are.

A stream begins with what its user was told by a check. After that a single query asks for all users that are
watched, and each stream is told what is other for its user.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
import psycopg
from starlette.exceptions import HTTPException

from arcano_db.calls.errors import ArcanoError
from arcano_db.calls.printable import logger
from arcano_db.calls.rows import WatchedUser
from arcano_db.web import bodies

log = logger("arcano_db.web")

# A stream of events ends after this, and the browser opens the next; who has signed out by then cannot.
STREAM_SECONDS = 600.0
STREAMS_OF_A_USER = 8
# Of addresses that share their first 24 bits (64 in IPv6); private ones have no limit: it may be a proxy's.
STREAMS_OF_A_NETWORK = 256
# A user whose ghosts cannot be ended is asked for again after this, and then after twice as long each time.
_HEALING_PAUSE_SECONDS = 10.0
_LONGEST_HEALING_PAUSE_SECONDS = 300.0
# So many users are healed at once: they must leave connections for requests.
_HEALERS = 2

Look = Callable[[Sequence[str]], Awaitable[Sequence[WatchedUser]]]
Check = Callable[[str], Awaitable[bodies.ActiveJob]]


@dataclass
class _Watched:
    """A user that somebody watches."""

    known: bodies.ActiveJob
    known_at: float
    streams: set[asyncio.Event] = field(default_factory=set)
    heals_from: float = 0.0
    heals_after: float = _HEALING_PAUSE_SECONDS
    healing: bool = False


class Streams:
    """All open streams of this process."""

    def __init__(self, look: Look, check: Check, poll: float) -> None:
        """Nothing is asked before somebody watches.

        Args:
            look: Answers what is in the way of many users.
            check: Answers it of one, and heals the user's ghosts.
            poll: How many seconds from one look to the next.
        """
        self._look = look
        self._check = check
        self._poll = poll
        self._watched: dict[str, _Watched] = {}
        self._open: Counter[str] = Counter()
        self._looking: asyncio.Task[None] | None = None
        self._healing: set[asyncio.Task[None]] = set()
        self._healers = asyncio.Semaphore(_HEALERS)
        self._fails: set[str] = set()

    def admit(self, user_id: str, address: str | None) -> Callable[[], None]:
        """Count a stream before it is let in, or refuse it with 429; the answer gives its place back."""
        limits = {f"user {user_id}": STREAMS_OF_A_USER}
        if network := network_of(address):
            limits[f"network {network}"] = STREAMS_OF_A_NETWORK
        if any(self._open[who] >= most for who, most in limits.items()):
            self._forget_nobody()
            raise HTTPException(429, "Too many streams at once.", headers={"Retry-After": "10"})
        self._open.update(limits.keys())

        def leave() -> None:
            self._open.subtract(limits.keys())
            self._forget_nobody()

        return leave

    def _forget_nobody(self) -> None:
        self._open = +self._open  # without those of whom no stream is left

    async def changes(
        self, user_id: str, told: bodies.ActiveJob, ending: anyio.Event
    ) -> AsyncGenerator[bodies.ActiveJob, None]:
        """What is in the user's way: ``told``, then what follows, until ``ending`` is set or time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + STREAM_SECONDS
        yield told
        changed = asyncio.Event()
        watched = self._watched.setdefault(user_id, _Watched(told, loop.time()))
        self._tell(watched, told)
        watched.streams.add(changed)
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            while (left := until - loop.time()) > 0 and not ending.is_set():
                if is_other(told, watched.known):
                    told = watched.known
                    yield told
                await _first_of(changed, ending, left)
                changed.clear()
        finally:
            watched.streams.discard(changed)
            if not watched.streams:
                self._watched.pop(user_id, None)

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        while self._watched:
            next_look = loop.time() + self._poll
            try:
                await self._look_at_all()
                self._fails.discard("look")
            except (psycopg.Error, ArcanoError, TimeoutError) as error:
                self._say("look", error)
            await asyncio.sleep(max(next_look - loop.time(), self._poll / 10))
        self._looking = None

    async def _look_at_all(self) -> None:
        loop = asyncio.get_running_loop()
        user_ids, began = list(self._watched), loop.time()
        found = {row.user_id: row for row in await self._look(user_ids)}
        free = bodies.ActiveJob.nothing(datetime.now(UTC))
        for user_id in user_ids:
            watched, row = self._watched.get(user_id), found.get(user_id)
            if watched is None or watched.known_at > began:  # a stream that was opened meanwhile knows better
                continue
            if row is None or not row.has_orphans:
                watched.heals_after = _HEALING_PAUSE_SECONDS
                self._tell(watched, free if row is None else bodies.ActiveJob.of(row))
            elif not watched.healing and loop.time() >= watched.heals_from:
                watched.healing = True
                # Also where the check does not fail: a ghost may be held, or a trigger of the app keep it.
                watched.heals_from = loop.time() + watched.heals_after
                watched.heals_after = min(2 * watched.heals_after, _LONGEST_HEALING_PAUSE_SECONDS)
                task = asyncio.create_task(self._heal(user_id, watched))
                self._healing.add(task)
                task.add_done_callback(self._healing.discard)

    async def _heal(self, user_id: str, watched: _Watched) -> None:
        """Beside the looks: whose ghosts cannot be ended keeps nobody else waiting."""
        try:
            async with self._healers:
                now = await self._check(user_id)
            self._fails.discard("heal")
            self._tell(watched, now)
        except (psycopg.Error, ArcanoError, TimeoutError) as error:
            self._say("heal", error)
        finally:
            watched.healing = False

    def _tell(self, watched: _Watched, now: bodies.ActiveJob) -> None:
        other = is_other(watched.known, now)
        watched.known, watched.known_at = now, asyncio.get_running_loop().time()
        for stream in watched.streams if other else ():
            stream.set()

    def _say(self, what: str, error: Exception) -> None:
        """Once, and not for each look or user until it is over."""
        level = logging.DEBUG if what in self._fails else logging.WARNING
        log.log(level, "events, %s: %s", what, str(error).strip())
        self._fails.add(what)

    async def close(self) -> None:
        """Look no more."""
        under_way = {*self._healing, *filter(None, [self._looking])}
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)


def is_other(known: bodies.ActiveJob, now: bodies.ActiveJob) -> bool:
    """Whether a user is to be told."""
    moments = {"checked_at", "healed"}
    return known.model_dump(exclude=moments) != now.model_dump(exclude=moments)


def network_of(address: str | None) -> str | None:
    """The network that an address belongs to; None: a private one, behind which may be a proxy."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if not found.is_global:
        return None
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 64), strict=False))


async def _first_of(changed: asyncio.Event, ending: anyio.Event, seconds: float) -> None:
    waiting = {asyncio.ensure_future(changed.wait()), asyncio.ensure_future(ending.wait())}
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
