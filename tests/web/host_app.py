"""Functions of a host app, as ``arcano-db serve`` imports them. Who asks is a header, for a test alone."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from arcano_db.web import CreateJob, StartUpload, UploadPlace


def signed_in(request: Request) -> str | None:
    return request.headers.get("x-user") or None


async def place(request: Request, user_id: object, file: StartUpload) -> UploadPlace:
    return UploadPlace(
        upload_url=f"https://files.example/{user_id}/{file.job_id}", headers={"x-name": file.name}
    )


async def priced(request: Request, user_id: object, job: CreateJob) -> dict[str, Any]:
    if job.data.get("scale") == 8:
        raise HTTPException(402, "Not enough credits.")
    return {"scale": 4, "user_credit_cost": 60, "credits_charged": True}
