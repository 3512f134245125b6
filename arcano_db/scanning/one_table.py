"""Scanning one table: what its words mean, in which zone its dates are, and what its rows tell then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from arcano_db.scanning.contract import contract_columns
from arcano_db.scanning.database import Known
from arcano_db.scanning.finding import Found, missing
from arcano_db.scanning.inlining import expand
from arcano_db.scanning.reading import (
    Care,
    Meaning,
    Reader,
    bare_type,
    careful,
    ended_statuses,
    open_statuses,
    waiting_statuses,
)
from arcano_db.scanning.report import OpenJobs, Waits

# What makes a table look like one of jobs has points: with so many it is sure, with so many it may be.
_SURE, _UNSURE = 4, 2
# So many can come from its words, which are not read of a table that could not get there.
_POINTS_OF_WORDS = 3

UNKNOWN = "?"

_NEAR_THE_HOUR = 300

# A default that the server fills in, in its own time zone.
_OF_THE_SERVER = re.compile(r"^(now\(\)|current_timestamp|localtimestamp|(clock|transaction|statement)_timestamp\(\))", re.I)  # fmt: skip  # noqa: E501


@dataclass(slots=True)
class Scanned:
    """A table that was read.

    Attributes:
        found: What the catalogs say of it.
        meaning: How it was read.
        unknown_words: What nobody can guess.
        confidence: ``sure``, ``unsure`` or ``asked``.
        signs: What makes it look like a job table, and what speaks against it.
        zone: That of its dates; ``?``: it is in doubt; None: they are instants.
        is_zone_to_be_confirmed: Whether map_job_table will ask about it.
        has_index: Whether an index finds a user's jobs.
        open: Its open jobs.
        waits: How long jobs waited.
    """

    found: Found
    meaning: Meaning
    unknown_words: list[str] = field(default_factory=list)
    confidence: str = "unsure"
    signs: list[str] = field(default_factory=list)
    zone: str | None = None
    is_zone_to_be_confirmed: bool = False
    has_index: bool = True
    open: OpenJobs = field(default_factory=lambda: OpenJobs("none"))
    waits: Waits = field(default_factory=lambda: Waits("none"))


def scan_table(
    connection: psycopg.Connection[Any],
    found: Found,
    known: Known,
    care: Care,
    asked: Mapping[str, str] | None,
) -> Scanned | None:
    """Read it, if it looks like a job table or somebody asked for it; None: it is nothing of the kind.

    Args:
        connection: Outside of a transaction.
        found: What the catalogs say of it.
        known: What is known of the database.
        care: How much of it may be used.
        asked: Somebody asked for it, and said what these of its words mean; None: nobody did.
    """
    columns = {ours: theirs for ours, theirs in found.columns.items() if ours != theirs}
    scanned = Scanned(found, Meaning(columns, asked or {}))
    if found.oid in known.graces:
        scanned.meaning.grace = known.graces[found.oid]
        scanned.meaning.notes.append(
            f"its ghosts are counted by its own orphan_after, {scanned.meaning.grace}"
        )
    is_one = found.is_attached or found.oid in known.mappings
    points = sum(sign["points"] for sign in found.signs)
    if asked is None and not is_one and points + _POINTS_OF_WORDS < _UNSURE:
        return None
    if missing(found):
        scanned.confidence = "asked" if asked is not None else "unsure" if may_be_sure(found) else "no"
        scanned.signs = [f"no column looks like {', '.join(missing(found))}"]
    else:
        with careful(connection, care):
            _read(connection, scanned, known, care, asked is not None or is_one)
    if is_one:
        scanned.confidence = "sure"
    return None if scanned.confidence == "no" else scanned


def may_be_sure(found: Found) -> bool:
    """Whether its words could make it look like a job table, as far as the catalogs tell."""
    points: int = sum(sign["points"] for sign in found.signs)
    return points + _POINTS_OF_WORDS >= _SURE


def _read(
    connection: psycopg.Connection[Any], scanned: Scanned, known: Known, care: Care, asked: bool
) -> None:
    found, meaning = scanned.found, scanned.meaning
    reader = Reader(connection, care, found, meaning, known.answers)
    words = reader.words()
    mapping = known.mappings.get(found.oid)
    guessed = _one(connection, known, found, "select arcano.guess_statuses(%(given)s::text[])", words)
    meaning.statuses = {**guessed, **(mapping["statuses"] if mapping else {}), **meaning.given}
    scanned.unknown_words = [word for word in words if word not in meaning.statuses]
    _judge(connection, scanned, known, asked)
    if scanned.confidence not in ("sure", "asked"):
        return
    if mapping:
        meaning.columns = mapping["columns"]
    elif found.is_attached or not (column_obstacles(found) or strange_words(connection, scanned)):
        # As an attached table is read: each of its columns is what its name says.
        meaning.columns = {name: name for name in contract_columns() if name in found.types}
        # Of others, only words that it has: an index of its own open jobs would not find more.
        if found.is_attached or not meaning.statuses:
            contract = open_statuses(connection) | ended_statuses(connection)
            meaning.statuses = {word: word for word in sorted(contract)}
    shift = _choose_zone(connection, scanned, reader, known, mapping["time_zone"] if mapping else None)
    scanned.waits = reader.waits()
    scanned.open = reader.open_jobs(scanned.waits.advised, shift)
    scanned.has_index = reader.finds_a_users_jobs(scanned.unknown_words)
    if not set(meaning.statuses.values()) & waiting_statuses(connection) and meaning.statuses:
        meaning.notes.append("no word of it waits, as far as is known: no job can be a ghost")


def _judge(connection: psycopg.Connection[Any], scanned: Scanned, known: Known, asked: bool) -> None:
    signs = _one(
        connection,
        known,
        scanned.found,
        "select arcano.guess_signs(%(oid)s::oid, %(given)s::jsonb)",
        scanned.meaning.statuses,
        as_json=True,
    )
    points = sum(sign["points"] for sign in signs)
    scanned.signs = [f"{'not: ' if sign['points'] < 0 else ''}{sign['sign']}" for sign in signs]
    by_points = "sure" if points >= _SURE else "unsure" if points >= _UNSURE else "no"
    scanned.confidence = "asked" if asked and by_points != "sure" else by_points
    is_open = set(scanned.meaning.statuses.values()) & open_statuses(connection)
    if (
        scanned.confidence == "sure"
        and scanned.meaning.statuses
        and not is_open
        and not scanned.unknown_words
    ):
        scanned.confidence = "unsure"  # a log of what has ended


def _choose_zone(
    connection: psycopg.Connection[Any], scanned: Scanned, reader: Reader, known: Known, mapped_as: str | None
) -> float:
    """In which zone its dates are; and how many seconds younger than it looks a job may be, in any zone."""
    found, meaning = scanned.found, scanned.meaning
    query = "select arcano.guess_zone(%(oid)s::oid, %(given)s::jsonb)"
    guessed = _one(connection, known, found, query, meaning.columns, as_json=True)
    scanned.zone = mapped_as or guessed
    if scanned.zone is None or mapped_as is not None or found.created_type != "timestamp":
        reader.read_as(scanned.zone)
        return 0.0
    by_server = bool(_OF_THE_SERVER.match(found.created_default or ""))
    meaning.zones = list(dict.fromkeys([guessed, *([known.zone] if known.zone else [])]))
    ages = reader.ages_of_newest()
    certain = next((zone for zone, (_, is_doubtful) in ages.items() if not is_doubtful), None)
    shift = 0.0
    if certain is None and ages:
        age = ages[guessed][0]
        is_utc = by_server and bool(known.zone) and set(meaning.zones) <= {"UTC", "Etc/UTC", "GMT"}
        # A job is rarely made on the hour: that much looks like a time zone.
        if is_utc and age > 0 and _NEAR_THE_HOUR < age % 3600 < 3600 - _NEAR_THE_HOUR:
            scanned.is_zone_to_be_confirmed = True
        else:
            scanned.zone, shift = UNKNOWN, max(age, 0.0)
            meaning.notes.append(_doubt(age))
    else:
        scanned.zone = certain or guessed
    reader.read_as(guessed if scanned.zone == UNKNOWN else scanned.zone)
    if scanned.zone != UNKNOWN:
        meaning.notes.append(f"its dates have no time zone: read as {scanned.zone}")
    return shift


def _doubt(age: float) -> str:
    if age < 0:
        return (
            f"its dates have no time zone, and as UTC its newest job would be made in {-age / 3600:.1f}"
            " hours: they are in a zone ahead of it, and every job is older than it looks. Counted is what is"
            " a ghost as UTC, which may be too few"
        )
    return (
        f"its dates have no time zone, and as UTC its newest job is {age / 3600:.1f} hours old: that may"
        " be a time zone and not age. Counted is what is a ghost in any zone, which may be too few"
    )


def column_obstacles(found: Found) -> list[str]:
    """Why it cannot be attached, whatever ids there are and whatever its words are."""
    because = [
        f"{name} is called {theirs}" if theirs else f"no column {name}"
        for name in ("id", "user_id", "status", "created_at")
        if name not in found.types
        for theirs in [found.columns.get(name)]
    ]
    because += [
        f"{name} is {bare_type(found.types[name])}"
        for name, wanted in contract_columns().items()
        if name in found.types and name not in ("id", "user_id") and found.types[name] != wanted
    ]
    if "id" in found.types and not found.has_own_key:
        because.append("its primary key is not id alone")
    return because + found.obstacles


def strange_words(connection: psycopg.Connection[Any], scanned: Scanned) -> list[str]:
    """Its words that are not the contract's."""
    known = open_statuses(connection) | ended_statuses(connection)
    return [word for word in (*scanned.meaning.statuses, *scanned.unknown_words) if word not in known]


def _one(
    connection: psycopg.Connection[Any],
    known: Known,
    found: Found,
    query: str,
    given: Any,
    as_json: bool = False,
) -> Any:
    """What a guess answers of a table and what is given, asked once of the same table in many schemas."""
    key = (query, found.shape, repr(given))
    if key not in known.answers:
        parameters = {"oid": found.oid, "given": Jsonb(given) if as_json else given}
        row = connection.execute(expand(query).encode(), parameters).fetchone()
        known.answers[key] = row[0] if row else None
    return known.answers[key]
