"""How a table becomes a job table: attached as it is, or mapped, with the very calls."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from arcano_db.scanning.contract import CORE
from arcano_db.scanning.database import Known
from arcano_db.scanning.finding import Found
from arcano_db.scanning.inlining import expand
from arcano_db.scanning.one_table import UNKNOWN, Scanned, column_obstacles, strange_words
from arcano_db.scanning.reading import bare_type, ended_statuses, open_statuses, orphan_after
from arcano_db.scanning.report import How, Table, whole_minutes


class Advice:
    """What to do with the tables of a database."""

    def __init__(self, connection: psycopg.Connection[Any], known: Known, found: Sequence[Found]) -> None:
        """The ids of all that were found choose the types of an installation that is not there yet."""
        self._connection = connection
        self._known = known
        self._id_type = known.id_type or self._chosen([one.id_kind for one in found])
        self._user_id_type = known.user_id_type or self._chosen([one.user_id_kind for one in found])

    def first_steps(self, tables: Sequence[Table]) -> list[str]:
        """What has to be run before any step of these tables."""
        if self._known.is_installed or not any(table.how in ("attach", "map") for table in tables):
            return []
        return [f"arcano-db migrate --id-type {self._id_type} --user-id-type {self._user_id_type}"]

    def table(self, scanned: Scanned) -> Table:
        """What was found of a table, and what to do with it."""
        how, because = self._how(scanned)
        notes = list(scanned.meaning.notes)
        steps: list[str] = []
        if how == "attach":
            steps = self._attaching(scanned)
        elif how == "map":
            steps = self._mapping(scanned)
            notes += self._to_be_said(scanned)
        elif how in ("attached", "mapped"):
            steps = ["arcano-db doctor", "arcano-db sweep"] if scanned.open.ghosts else ["arcano-db doctor"]
        return Table(
            name=scanned.found.name,
            schemas=1,
            size=scanned.found.size,
            confidence=scanned.confidence,
            signs=scanned.signs,
            columns={name: theirs for name, theirs in scanned.found.columns.items() if name in _TOLD},
            statuses={**scanned.meaning.statuses, **dict.fromkeys(scanned.unknown_words, UNKNOWN)},
            time_zone=scanned.zone,
            open=scanned.open,
            waits=scanned.waits,
            how=how,
            because=because,
            steps=steps,
            notes=notes,
        )

    def _how(self, scanned: Scanned) -> tuple[How, list[str]]:
        found = scanned.found
        if found.is_attached:
            return "attached", []
        if found.oid in self._known.mappings:
            return "mapped", []
        lacking = [name for name in CORE if name not in found.columns]
        if lacking:
            return "neither", [f"no column looks like {', '.join(lacking)}"]
        strange = [
            f"{name} is {kind}, and those of this installation are {chosen}"
            for name, kind, chosen in (
                ("id", found.id_kind, self._id_type),
                ("user_id", found.user_id_kind, self._user_id_type),
            )
            if not _fits(kind, chosen)
        ]
        if strange:
            return "neither", strange
        because = column_obstacles(found)
        because += [
            f"{name} is {bare_type(found.types[name])}, where all are to be {chosen}"
            for name, chosen in (("id", self._id_type), ("user_id", self._user_id_type))
            if name in found.types and found.types[name] != chosen
        ]
        if words := strange_words(self._connection, scanned):
            because.append(f"its words are its own: {', '.join(words[:6])}")
        return ("map" if because else "attach"), because

    def _attaching(self, scanned: Scanned) -> list[str]:
        name = shlex.quote(scanned.found.name)
        grace = self._grace(scanned)
        option = f" --orphan-after {shlex.quote(grace)}" if grace else ""
        return [f"arcano-db attach {name}{option} --check", f"arcano-db attach {name}{option}"]

    def _mapping(self, scanned: Scanned) -> list[str]:
        found, meaning = scanned.found, scanned.meaning
        words = dict.fromkeys(scanned.unknown_words, UNKNOWN)
        statuses = {**meaning.statuses, **words} or {UNKNOWN: UNKNOWN}
        writes = self._ask(
            "select arcano.guess_writes(%(statuses)s::jsonb)", statuses=Jsonb(meaning.statuses)
        )
        if self._needs_a_word(scanned, writes):
            writes = {**writes, "cancelled": UNKNOWN}
        call = self._ask(
            "select arcano.mapping_call(%(name)s, %(columns)s::jsonb, %(statuses)s::jsonb, %(writes)s::jsonb,"
            " %(zone)s, %(grace)s, null, %(force)s::boolean)",
            name=found.name,
            columns=Jsonb(self._not_taken_by_name(scanned)),
            statuses=Jsonb(statuses),
            writes=Jsonb(writes),
            zone=scanned.zone,
            grace=self._grace(scanned),
            force=True if scanned.is_zone_to_be_confirmed else None,
        )
        steps = [] if scanned.has_index else [self._index(scanned)]
        return [*steps, call, f"arcano-db configure {shlex.quote(found.name)} mode=enforce"]

    def _not_taken_by_name(self, scanned: Scanned) -> dict[str, str]:
        """The columns that a mapping has to name: it takes others by their own names."""
        named: dict[str, str] = self._ask(
            "select coalesce(jsonb_object_agg(c.key, c.value) filter (where"
            " arcano.expression_for(%(oid)s::oid, '{}', 'UTC', c.key) is distinct from"
            " arcano.expression_for(%(oid)s::oid, %(columns)s::jsonb, 'UTC', c.key)), '{}')"
            " from jsonb_each_text(%(columns)s::jsonb) c",
            oid=scanned.found.oid,
            columns=Jsonb(scanned.meaning.columns),
        )
        return named

    def _index(self, scanned: Scanned) -> str:
        columns = scanned.meaning.columns
        meant = open_statuses(self._connection)
        return str(
            self._ask(
                "select arcano.open_jobs_index(%(name)s, %(user)s, %(status)s, %(words)s::text[])",
                name=scanned.found.name,
                user=columns.get("user_id", "user_id"),
                status=columns.get("status", "status"),
                # One of those that are open alone would be smaller, but which are is to be known.
                words=[]
                if scanned.unknown_words
                else [word for word, status in scanned.meaning.statuses.items() if status in meant],
            )
        )

    def _needs_a_word(self, scanned: Scanned, writes: dict[str, str]) -> bool:
        """Whether nobody can guess what is written to a job that is cancelled."""
        return "cancelled" not in {*scanned.meaning.statuses.values(), *writes}

    def _to_be_said(self, scanned: Scanned) -> list[str]:
        notes = []
        if scanned.unknown_words or not scanned.meaning.statuses:
            meanings = sorted(open_statuses(self._connection)) + sorted(ended_statuses(self._connection))
            notes.append(
                f"nobody can guess what {', '.join(scanned.unknown_words) or 'its words'} mean: write one of"
                f" {', '.join(meanings)} for each ? of p_statuses, or leave a word out that is none of them;"
                f" to see ghosts first: arcano-db scan --table {shlex.quote(scanned.found.name)}"
                f" --status {shlex.quote((scanned.unknown_words or ['WORD'])[0])}=queued ..."
            )
        if self._needs_a_word(scanned, {}) and "failed" not in scanned.meaning.statuses.values():
            notes.append("write for the ? of p_writes which of its words a cancelled job gets")
        if scanned.zone == UNKNOWN:
            notes.append("write for the ? of p_time_zone in which zone its dates are, such as UTC")
        if scanned.is_zone_to_be_confirmed:
            notes.append("p_force confirms that its dates are UTC, though its newest job is hours old")
        return notes

    def _grace(self, scanned: Scanned) -> str | None:
        """What is advised, where that is longer than what a table has anyway."""
        advised = scanned.waits.advised
        if advised is None or advised <= orphan_after(self._connection):
            return None
        return f"{whole_minutes(advised)} minutes"

    def _chosen(self, kinds: Sequence[str | None]) -> str | None:
        kinds = [kind for kind in kinds if kind]
        chosen: str | None = self._ask("select arcano.guess_id_type(%(kinds)s::text[])", kinds=kinds)
        return chosen

    def _ask(self, query: str, **parameters: Any) -> Any:
        row = self._connection.execute(expand(query).encode(), parameters).fetchone()
        return row[0] if row else None


# What a reader wants to know of its columns.
_TOLD = (*CORE, "task_id", "started_at", "completed_at", "heartbeat_at", "error_message")


def _fits(kind: str | None, chosen: str | None) -> bool:
    """Whether ids of this kind can be written as the chosen type."""
    return chosen in ("text", kind) or (kind, chosen) == ("integer", "bigint")
