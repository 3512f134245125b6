"""The web app around ArcanoWeb: the page, the sign-in, and where pictures are put and fetched."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from arcano_db.calls.rows import JobId, UserId
from arcano_db.demo import user
from arcano_db.demo.upscaler.storage import Storage
from arcano_db.web import ArcanoWeb, CreateJob, StartUpload, UploadPlace

# Each has an address and a cookie of its own, so that three windows of one browser can be three users.
VISITORS = (1, 2, 3)

# Short, so that one sees it.
_LEAVE_GRACE_SECONDS = 3.0
_MOST_BYTES = 20 * 1024 * 1024
_PAGES = Path(__file__).with_name("pages")


def upscaler(dsn: str, folder: Path) -> Starlette:
    """The app.

    Args:
        dsn: The database, as a login that owns the tables.
        folder: Where to keep pictures.
    """
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(dsn, open=False)
    site = _Site(pool, folder)
    secret = secrets.token_urlsafe()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield
            await site.arcano.close()

    visitors = [
        Mount(
            f"/{number}",
            routes=[
                Route("/", partial(site.page, number)),
                Route("/uploads/{job_id:uuid}", site.upload, methods=["PUT"]),
                Route("/pictures/{job_id:uuid}/{which}", site.picture),
                Route("/jobs/{job_id:uuid}", site.job),
                Mount("/arcano", site.arcano),
            ],
            middleware=[
                Middleware(
                    SessionMiddleware,
                    secret_key=secret,
                    session_cookie="upscaler",
                    path=f"/{number}/",
                    same_site="strict",
                )
            ],
        )
        for number in VISITORS
    ]
    pages = Mount("/pages", StaticFiles(directory=_PAGES))
    return Starlette(routes=[Route("/", site.start), pages, *visitors], lifespan=lifespan)


def signed_in(request: Request) -> UUID | None:
    """Who sends a request: whom the cookie names, which only this process can have written."""
    found = request.session.get("user")
    return None if found is None else UUID(found)


class _Site:
    def __init__(self, pool: AsyncConnectionPool[Any], folder: Path) -> None:
        self.pool = pool
        self.folder = folder
        # The three lines that another app needs too: who asks, where to upload, what a job's columns are.
        self.arcano = ArcanoWeb(
            pool,
            user=signed_in,
            uploads=self._place,
            job_data=self._columns,
            leave_grace=_LEAVE_GRACE_SECONDS,
        )

    async def start(self, request: Request) -> Response:
        return _html("start.html", request)

    async def page(self, number: int, request: Request) -> Response:
        # A sign-in without a password, for a demo.
        request.session["user"] = str(user(number))
        return _html("page.html", request)

    async def upload(self, request: Request) -> Response:
        storage = self._storage(request)
        path = storage.before(request.path_params["job_id"])
        size = 0
        try:
            with storage.writing(path) as part:
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > _MOST_BYTES:
                        raise HTTPException(413, f"At most {_MOST_BYTES:,} bytes.")
                    part.write(chunk)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return Response(status_code=204)

    async def picture(self, request: Request) -> Response:
        storage, job_id = self._storage(request), request.path_params["job_id"]
        path = storage.after(job_id) if request.path_params["which"] == "after" else storage.before(job_id)
        if not path.exists():
            raise HTTPException(404)
        return FileResponse(path, headers={"X-Content-Type-Options": "nosniff"})

    async def job(self, request: Request) -> Response:
        """What became of a job of this user."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "select status, error_message from public.upscaler_jobs where id = %s and user_id = %s",
                (request.path_params["job_id"], self._user(request)),
            )
            row = await cursor.fetchone()
        if row is None:
            raise HTTPException(404)
        return JSONResponse({"status": row[0], "error": row[1]})

    def _place(self, _: Request, user_id: UserId, file: StartUpload) -> UploadPlace:
        if file.size > _MOST_BYTES:
            raise HTTPException(413, f"At most {_MOST_BYTES:,} bytes.")
        path = self._before(user_id, file.job_id)
        uploaded = path.exists() and path.stat().st_size == file.size
        return UploadPlace(upload_url=f"uploads/{file.job_id}", uploaded=uploaded)

    def _columns(self, _: Request, user_id: UserId, job: CreateJob) -> Mapping[str, Any]:
        # The old order is only here to show what comes of it.
        if not job.data.get("oldOrder") and not self._before(user_id, job.job_id).exists():
            raise HTTPException(409, "The picture is not uploaded yet.")
        return {"input_image_url": f"uploads/{job.job_id}", "scale": 2}

    def _before(self, user_id: UserId, job_id: JobId | None) -> Path:
        try:
            return Storage(self.folder, user_id).before(job_id or "")
        except ValueError as error:
            raise HTTPException(422, "jobId is no uuid") from error

    def _user(self, request: Request) -> UUID:
        user_id = signed_in(request)
        if user_id is None:
            raise HTTPException(401)
        return user_id

    def _storage(self, request: Request) -> Storage:
        return Storage(self.folder, self._user(request))


def _html(name: str, request: Request) -> Response:
    """A page in the language that is asked for, or else in the browser's first."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    language = "pt-BR" if asked.lower().startswith("pt") else "en"
    text = (_PAGES / name).read_text(encoding="utf-8").replace("{language}", language)
    return HTMLResponse(text, headers={"Cache-Control": "no-cache"})
