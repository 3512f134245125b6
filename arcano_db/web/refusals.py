"""What is answered when a call was refused or failed: problems as RFC 9457 has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from arcano_db.calls import errors
from arcano_db.calls.printable import logger
from arcano_db.web.bodies import Problem

log = logger("arcano_db.web")

_STATUS: dict[type[errors.ArcanoError], int] = {
    errors.NotAllowed: 403,
    errors.NotAttached: 404,
    errors.AmbiguousJob: 409,
    errors.JobIdTaken: 409,
    errors.RequestKeyTaken: 409,
    errors.TaskIdTaken: 409,
    errors.InvalidArgument: 422,
}

_TITLES = {
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    413: "Too large",
    415: "Not JSON",
    422: "Not understood",
    429: "Too many",
    500: "Failed",
    503: "Not now",
}


def json_response(answer: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer, which nobody may keep."""
    return Response(
        answer.model_dump_json(by_alias=True),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def problem(
    status: int, detail: str | None = None, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal."""
    content = Problem(title=_TITLES.get(status, "Refused"), status=status, detail=detail, hint=hint)
    return Response(
        content.model_dump_json(by_alias=True, exclude_none=True),
        status,
        media_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # FastAPI's takes anything for a detail.
    detail = error.detail if isinstance(error.detail, str) else json.dumps(error.detail, default=str)
    return problem(error.status_code, detail, headers=error.headers)


async def _not_understood(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    found = (f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_url=False))
    return problem(422, "; ".join(found))


class GrantMissing(psycopg.Error):
    """The login of the web app may not do what it is to do."""

    def __init__(self, login: str, error: psycopg.Error) -> None:
        """Keep what to grant to whom."""
        where = (error.diag.context or "").partition("\n")[0]  # of a trigger of the app's own, say
        refused = f"{error.diag.message_primary} ({where})" if where else error.diag.message_primary
        super().__init__(
            f"{refused}: {login} needs arcano_backend and arcano_user, and usage on the schema of a table"
            " whose jobs --job-data makes. Have a role that may say:"
            f" grant arcano_backend, arcano_user to {login};"
            " if it has them, arcano-db doctor says what they lack."
        )


class NobodyCalls(psycopg.Error):
    """The database does not believe the web app who calls, which is no fault of that user."""

    def __init__(self, error: BaseException) -> None:
        """Keep the reason."""
        super().__init__(str(error).strip())


def is_nobody(error: BaseException) -> bool:
    """Whether it was refused because it is not known which user calls."""
    cause = error.__cause__ if isinstance(error, errors.NotAllowed) else error
    return (
        isinstance(cause, psycopg.errors.InsufficientPrivilege)
        and cause.diag.source_function == "exec_stmt_raise"
        and " arcano.caller_id()" in (cause.diag.context or "").partition("\n")[0]
    )


def is_missing_grant(error: BaseException | None) -> bool:
    """Whether PostgreSQL itself refused the login, and not a function of ours its user."""
    return (
        isinstance(error, psycopg.errors.InsufficientPrivilege)
        and error.diag.source_function in {"aclcheck_error", "check_role", "call_string_check_hook"}
    ) or (isinstance(error, errors.NotAllowed) and is_missing_grant(error.__cause__))


async def _not_the_users_fault(request: Request, error: Exception) -> Response:
    log.error("%s: %s", request.url.path, error)
    return problem(503, headers={"Retry-After": "10"})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ArcanoError)
    if isinstance(error, errors.WaitedTooLong):  # with whom, is none of the user's business either
        log.warning("%s: %s", request.url.path, error)
        return problem(503, "Another request of the same user is not done yet.", headers={"Retry-After": "2"})
    status = _STATUS.get(type(error))
    if status is None:  # it is for those who run the app, and none of the user's business
        log.error("%s: %s", request.url.path, error)
        return problem(503, headers={"Retry-After": "10"})
    return problem(status, error.args[0], error.hint)


async def _of_the_database(request: Request, error: Exception) -> Response:
    assert isinstance(error, psycopg.Error)
    message = error.diag.message_primary or str(error).strip()
    # An id of another type, say; but a role that is missing is no fault of the request.
    if isinstance(error, psycopg.DataError) and not isinstance(error, psycopg.errors.InvalidParameterValue):
        return problem(422, message)
    if isinstance(error, psycopg.IntegrityError | psycopg.errors.RaiseException):
        return problem(409, "The app's own table refuses the job.")
    log.error("%s: %s", request.url.path, message)
    return problem(503, headers={"Retry-After": "10"})


async def _busy(request: Request, error: Exception) -> Response:
    log.error("%s: %s", request.url.path, error)
    return problem(503, headers={"Retry-After": "2"})


async def _unencodable(_: Request, __: Exception) -> Response:
    return problem(422, "A text has characters that cannot be stored.")


async def _failed(_: Request, __: Exception) -> Response:
    return problem(500)


HANDLERS: dict[Any, Callable[[Request, Exception], Any]] = {
    HTTPException: _http,
    ValidationError: _not_understood,
    errors.ArcanoError: _refused,
    GrantMissing: _not_the_users_fault,
    NobodyCalls: _not_the_users_fault,
    psycopg.Error: _of_the_database,
    PoolTimeout: _busy,
    UnicodeEncodeError: _unencodable,
    Exception: _failed,
}
