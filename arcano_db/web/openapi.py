"""openapi.json, made of the endpoints and of what they take and answer; a test compares the two."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from arcano_db.web import bodies
from arcano_db.web.app import OPERATIONS

_SCHEMAS = "#/components/schemas/{model}"

# What any endpoint may answer; 503: the database does not answer, or does not have this release.
_REFUSALS = {
    "401": "Nobody is signed in",
    "403": "It is about another user, or another user's job",
    "404": "There is no such job table",
    "408": "The body does not come to an end",
    "409": "Another job is in the way, or has this id, or was asked for with this request key",
    "413": "The request is too large",
    "415": "The request is not JSON",
    "422": "The request is not understood",
    "429": "Too many requests",
    "500": "A function of the host app failed",
    "503": "Not now",
}

_OF_EVENTS = {"401", "403", "429", "500", "503"}


def document() -> dict[str, Any]:
    """The whole document, as openapi.json holds it."""
    models = {bodies.ActiveJob, bodies.Health, bodies.Problem}
    for operation in OPERATIONS:
        models |= {operation.takes, *operation.answers.values()}
    ordered = sorted(models, key=lambda model: model.__name__)
    # An answer has all of its fields; a request may leave out those that have defaults.
    modes = [(m, "validation" if any(m is o.takes for o in OPERATIONS) else "serialization") for m in ordered]
    _, schemas = models_json_schema(modes, by_alias=True, ref_template=_SCHEMAS)  # type: ignore[arg-type]
    paths: dict[str, Any] = {
        f"/{o.name}": {
            "post": {
                "operationId": _camel(o.name),
                "summary": o.summary,
                "requestBody": {"required": True, "content": _content(o.takes)},
                "responses": {
                    **_refusals(),
                    **{str(status): _answer(model) for status, model in o.answers.items()},
                },
            }
        }
        for o in OPERATIONS
    }
    conflict = paths["/create-job"]["post"]["responses"]["409"]
    conflict["content"] |= _content(bodies.Problem, "application/problem+json")
    paths["/events"] = {
        "get": {
            "operationId": "events",
            "summary": "Server-sent events: the answer of check-user-active now, and whenever it changes",
            "responses": {
                **{status: r for status, r in _refusals().items() if status in _OF_EVENTS},
                "200": {
                    "description": "Events named active, each with an ActiveJob as its data",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
            },
        }
    }
    for name, summary in (
        ("healthz", "The process is alive"),
        ("readyz", "The database answers as it should"),
    ):
        paths[f"/{name}"] = {
            "get": {
                "operationId": name,
                "summary": summary,
                "responses": {"200": _answer(bodies.Health)}
                | ({"503": _answer(bodies.Health)} if name == "readyz" else {}),
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Arcano DB",
            "version": version("arcano-db"),
            "description": "Who calls is known from the host app's own session or token, and not said here.",
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def text() -> str:
    """The document as its file has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _refusals() -> dict[str, Any]:
    return {
        status: {"description": why, "content": _content(bodies.Problem, "application/problem+json")}
        for status, why in _REFUSALS.items()
    }


def _answer(model: type) -> dict[str, Any]:
    return {"description": (model.__doc__ or "").strip(), "content": _content(model)}


def _content(model: type, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _SCHEMAS.format(model=model.__name__)}}}


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(map(str.capitalize, rest))
