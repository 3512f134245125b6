"""openapi.json is made of the endpoints, and schemathesis tries on a real server what it says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import hypothesis
import psycopg
import pytest
import schemathesis
from helpers import UPSCALER, make_job
from schemathesis.core.failures import FailureGroup
from web.host_app import place, signed_in

from arcano_db.web import ArcanoWeb, openapi
from arcano_db.web.app import OPENAPI

_COUNT = 25


def test_the_file_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        OPENAPI.write_text(openapi.text(), encoding="utf-8")
    assert OPENAPI.read_text(encoding="utf-8") == openapi.text()


def test_the_app_serves_it(client: httpx.Client) -> None:
    assert client.get("/openapi.json").json() == openapi.document()


# The server's and the client's threads of this process use it, while hypothesis draws.
@pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
def test_every_answer_is_one_that_it_tells_of(
    serve: Callable[..., httpx.Client],
    backend_dsn: str,
    conn: psycopg.Connection,
    user: UUID,
    request: pytest.FixtureRequest,
) -> None:
    """With and without a job of the user's own among what is tried."""
    mine = make_job(conn, UPSCALER, user, "1 minute", position=1, waited_in_queue=True)
    web = ArcanoWeb(backend_dsn, user=signed_in, uploads=place, rate="1000000/minute", leave_grace=0)
    client = serve(web)
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    # What is so in this database alone: the type of the ids, and that browsers may give no column.
    schemas = {name: s["properties"] for name, s in document["components"]["schemas"].items()}
    for properties in schemas.values():
        for name in {"jobId", "userId"} & set(properties):
            properties[name] = {"type": "string", "format": "uuid", "examples": [str(mine), str(uuid4())]}
    schemas["CreateJob"]["data"] = {"type": "object", "maxProperties": 0}
    del document["paths"]["/events"]  # it has no end
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=str(client.base_url))
    count = 1000 if request.config.getoption("--full") else _COUNT
    tried = 0

    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def try_it(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            headers = {"x-user": str(user)}
            response = case.call(headers=headers)
            case.validate_response(response, headers=headers)

        try:
            try_it()
        except FailureGroup as error:
            pytest.fail(f"{operation.label}: {error}")
    print(f"\n{tried} requests to {len(document['paths'])} endpoints")
    assert tried >= len(document["paths"])
