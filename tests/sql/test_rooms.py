"""The shape of sql/: rooms with calls in one direction, readable sizes, dynamic SQL with its reason."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import psycopg
import pytest
from helpers import ROOT, public_objects

# Statements that are put together when they run, each with why it cannot be written down before.
DYNAMIC = {
    "attach_job_table": "runs what attach_steps answers",
    "check_problems": "asks a check constraint of the app's own",
    "example_job": "reads the table's own columns",
    "write_findings": "runs what attach_steps answers",
    "guess_time_zone": "reads the table's own column",
    "soft_delete_findings": "reads the app's own column",
    "caller_id": "calls the function that the app registered",
    "user_data": "reads a table's own columns",
    "admit_job": "inserts into the table's own columns",
    "failure_of": "tries what will read the table",
    "end_mapped_at_once": "writes the app's own words into its own columns",
    "insert_mapped_job": "inserts into the table's own columns",
    "observed_mapped_jobs": "reads the table's own columns",
    "own_mapped_jobs": "reads the table's own columns",
    "refuse_mapped_create": "casts ids to the types of the table's own columns",
    "mapped_job_rows": "reads the table's own columns",
    "mapped_jobs_each": "reads the table's own columns",
    "mapped_row": "reads the table's own columns",
    "mapping_index_findings": "plans what will read the table",
    "mapping_row_findings": "reads the table's own columns",
    "mapping_probe": "makes a view of an expression that was given",
    "mapping_spelling": "casts a word to the type of the table's own column",
    "mapping_zone_problem": "runs an expression that was given",
    "restore_mapped_job": "writes the table's own columns",
    "words_of_table": "reads the table's own column",
    "write_mapped_functions": "makes the functions that read mapped tables",
    "shared_ids": "reads a table that need not be attached",
    "check_constraints_now": "names the constraints of the app's own",
    "detach_job_table": "runs what detach_steps answers",
    "dry_run_end": "tries an update of a table that need not be attached",
    "grace_of_rows": "reads a table that need not be attached",
    "job_counts": "reads a table that need not be attached",
    "job_rows": "reads the table's own columns",
    "columns_as_jsonb": "reads the table's own columns",
    "pay_refund": "calls the function that the app registered",
    "refuse_values": "casts to the table's own types",
    "status_counts": "counts one table; through arcano.job all would be read",
    "table_settings": "evaluates the defaults of the settings",
    "would_trip": "counts one table; through arcano.job all would be read",
}

MOST_FILES = 14
MOST_LINES = 700
LONGEST_FUNCTION = 100


def drawing() -> ModuleType:
    """The script of the repository that draws the calls."""
    spec = importlib.util.spec_from_file_location("draw_calls", ROOT / ".github" / "tools" / "draw_calls.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["draw_calls"] = module
    spec.loader.exec_module(module)
    return module


DRAWN = drawing()
FOUND = DRAWN.definitions()


def test_no_call_goes_upwards() -> None:
    order = DRAWN.rooms()
    assert sorted(order) == sorted({one.room for one in FOUND.values()})
    assert DRAWN.upward(order, FOUND) == []
    # The picture is of something.
    assert sum(len(one.calls) for one in FOUND.values()) > 250


def test_a_call_upwards_would_be_seen() -> None:
    order = DRAWN.rooms()
    assert "ends/end_jobs calls ends/" not in str(DRAWN.upward(order, FOUND))
    assert DRAWN.upward(order[::-1], FOUND)


def test_rooms_and_functions_are_of_a_size_that_can_be_read() -> None:
    for room in DRAWN.rooms():
        paths = list((ROOT / "sql" / room).glob("*.sql"))
        lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
        assert len(paths) <= MOST_FILES, room
        assert lines <= MOST_LINES, room
    assert {one.name: one.lines for one in FOUND.values() if one.lines > LONGEST_FUNCTION} == {}


def without_strings(text: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "''", text)


def test_each_dynamic_statement_has_its_reason() -> None:
    dynamic = {
        name for name, one in FOUND.items() if re.search(r"\bexecute\b", without_strings(one.text), re.I)
    }
    assert dynamic == set(DYNAMIC)


def test_no_function_calls_itself_by_name_for_its_variables(conn: psycopg.Connection) -> None:
    """A function that steps aside for a newer one is renamed, and such a name would be wrong then."""
    bodies = conn.execute(
        "select proname, prosrc from pg_proc where pronamespace = 'arcano'::regnamespace"
    ).fetchall()
    assert [name for name, body in bodies if re.search(rf"(?<!arcano\.)\b{name}\.\w", body)] == []


def test_there_is_no_trigger() -> None:
    files = [*ROOT.glob("sql/**/*.sql"), *ROOT.glob("migrations/*.sql")]
    made = [
        path.name
        for path in files
        if re.search(r"create\s+(or\s+replace\s+)?(constraint\s+)?trigger", path.read_text(), re.I)
    ]
    assert len(files) > 100
    assert made == []


def test_questions_are_answered_by_the_page_and_one_file() -> None:
    """Each place that sql/README.md names is there."""
    page = ROOT.joinpath("sql", "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+/\w+\.(?:sql|py))`", page)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "sql" / name).exists() and not (ROOT / name).exists()] == []
    for room, first in re.findall(r"^\| `(\w+)` \| .+ \| `(\w+\.sql)` \|$", page, re.M):
        assert (ROOT / "sql" / room / first).exists()


def a_room(folder: Path, **files: str) -> Path:
    """A folder of rooms with these files, "__" for the slash in their paths."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def view(name: str, rest: str = "select 1") -> str:
    return f"create or replace view arcano.{name} as {rest};\n\ncomment on view arcano.{name} is 'x';\n"


def test_each_object_has_one_file_of_its_name(tmp_path: Path) -> None:
    files = list(ROOT.glob("sql/*/*.sql"))
    assert len(files) == len(FOUND) == len({(path.parent.name == "api", path.stem) for path in files})
    with pytest.raises(ValueError, match="does not make a function or view of its name"):
        DRAWN.definitions(a_room(tmp_path / "1", up__a=view("b")))
    with pytest.raises(ValueError, match="more than one object"):
        DRAWN.definitions(a_room(tmp_path / "2", up__a=view("a") + view("b")))
    with pytest.raises(ValueError, match="a is in the rooms down and up"):
        DRAWN.definitions(a_room(tmp_path / "3", up__a=view("a"), down__a=view("a")))


def test_a_call_is_found_in_statements_and_not_in_comments(tmp_path: Path) -> None:
    text = "-- arcano.c is a comment\n" + view("a", "select arcano.b() -- arcano.c") + view("c")[-32:]
    found = DRAWN.definitions(a_room(tmp_path, up__a=text, down__b=view("b"), down__c=view("c")))
    assert found["a"].calls == {"b"}
    assert DRAWN.upward(["up", "down"], found) == []
    assert DRAWN.upward(["down", "up"], found) == ["up/a calls down/b"]
    assert DRAWN.upward(["up"], found) == ["room down is not in sql/README.md"]


def test_the_public_list_names_only_what_exists(conn: psycopg.Connection) -> None:
    """Functions and views have their file; tables, which migrations make, are in the database."""
    public = public_objects(conn)
    kinds = {name: re.search(r"create or replace (\w+)", one.text)[1] for name, one in FOUND.items()}
    tables = {
        name
        for (name,) in conn.execute(
            "select relname from pg_class where relnamespace = 'arcano'::regnamespace and relkind = 'r'"
        )
    }
    assert {name for name, kind in public.items() if kind == "table"} <= tables
    made = {name: kind for name, kind in public.items() if kind != "table"}
    assert {name: kind for name, kind in made.items() if kinds.get(name) != kind} == {}


def test_the_picture_can_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert DRAWN.main(["--svg", str(tmp_path / "rooms.svg")]) == 0
    drawn = ElementTree.parse(tmp_path / "rooms.svg").getroot()
    assert len(drawn.findall("{*}rect")) == len(DRAWN.rooms())
    assert len(drawn.findall("{*}path")) == len(DRAWN.arrows_of(FOUND))
    assert "nobody below" in capsys.readouterr().out
    assert DRAWN.main(["--dot"]) == 0
    assert '"health" -> "sweep"' in capsys.readouterr().out
