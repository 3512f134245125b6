"""How much one user may ask for: the size of a request, and how many there may be."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import anyio
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request

# Long enough for a phone that has just come out of a tunnel.
BODY_SECONDS = 15.0

Body = TypeVar("Body", bound=BaseModel)
Answer = TypeVar("Answer")


class RateLimit:
    """The most requests of one user in any stretch of time, counted in this process alone."""

    def __init__(self, rate: str) -> None:
        """Such as ``300/minute``; ValueError if it cannot be read."""
        self._item = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, who: str) -> None:
        """Count a request of theirs, or refuse it with 429."""
        if not await self._limiter.hit(self._item, who):
            window = await self._limiter.get_window_stats(self._item, who)
            seconds = max(1, math.ceil(window.reset_time - time.time()))
            raise HTTPException(429, "Too many requests.", headers={"Retry-After": str(seconds)})


class Turns:
    """How many calls of one user, and of all users, are made at once; more wait for their turn.

    A user whose calls take long, as where somebody holds what they need, keeps no connection from others.
    """

    def __init__(self, of_a_user: int, of_all: int) -> None:
        """Nobody is there yet."""
        self._of_a_user = of_a_user
        self._all = asyncio.Semaphore(of_all)
        self._users: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """A block in which a call of theirs may be made."""
        own, waiting = self._users.setdefault(user, (asyncio.Semaphore(self._of_a_user), []))
        waiting.append(None)
        try:
            async with own, self._all:
                yield
        finally:
            waiting.pop()
            if not waiting:
                del self._users[user]


class Shared(Generic[Answer]):
    """An answer that all who ask within some seconds share, so that a flood of questions asks once."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]], seconds: float, longest: float) -> None:
        """Nothing is asked yet.

        Args:
            ask: Finds the answer.
            seconds: For how long an answer is good.
            longest: How long anybody waits for one.
        """
        self._ask = ask
        self._seconds = seconds
        self._longest = longest
        self._asking: asyncio.Future[Answer] | None = None
        self._asked_at = 0.0

    async def answer(self) -> Answer | None:
        """The answer of now, or of a moment ago; None: there is none in time."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now > self._asked_at + self._seconds):
            self._asking, self._asked_at = asyncio.ensure_future(self._ask()), now
        done, _ = await asyncio.wait([self._asking], timeout=self._longest)
        return self._asking.result() if done else None


async def read_json(request: Request, model: type[Body], max_bytes: int) -> Body:
    """The request's body, or a refusal.

    It must say that it is JSON: a page of another site cannot send that without asking the browser first.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send application/json.")
    text = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for part in request.stream():
                text += part
                if len(text) > max_bytes:
                    raise HTTPException(413, f"Send at most {max_bytes} bytes.")
    except TimeoutError as error:
        raise HTTPException(408, f"Send the body in {BODY_SECONDS:g} seconds.") from error
    return model.model_validate_json(bytes(text))
