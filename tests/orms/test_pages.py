"""The pages of docs/orm, followed with the real tools: they see nothing to do, and would see a change."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from orms.pages import App, page_text

from arcano_db import ArcanoDB
from arcano_db.installing import migrating
from arcano_db.orms.django import JobColumns as DjangoColumns
from arcano_db.orms.sqlalchemy import JobColumns


def is_attached(app: App, table: str) -> bool:
    """Wholly, with the indexes as they should be, whoever made them."""
    with psycopg.connect(app.url) as connection:
        db = ArcanoDB(connection)
        return [t.job_table for t in db.job_tables()] == [table] and db.attach_steps(table) == []


# --- SQLAlchemy and Alembic ------------------------------------------------------------------------------

ALEMBIC = "PYTHONPATH=. alembic "


def sections_of_alembic(app: App, *sections: str) -> str:
    return app.follow("alembic.md", "", "The package's SQL as a revision", *sections)


def test_alembic_attached(app: App) -> None:
    said = sections_of_alembic(app, "Attached", "Calling it")
    assert said.count("No new upgrade operations detected.") == 2
    assert said.endswith("queued\n")
    assert is_attached(app, "public.jobs")
    app.run(ALEMBIC + "downgrade arcano && " + ALEMBIC + "upgrade head && " + ALEMBIC + "check")
    # And it would see what it is to leave alone.
    env = app.folder / "migrations" / "env.py"
    text = env.read_text()
    env.write_text(text.replace(", include_object=include_object", ""))
    seen = app.tried(ALEMBIC + "check")
    assert seen.returncode != 0
    assert "jobs_arcano_working" in seen.stdout
    # Likewise with all schemas.
    all_schemas = text.replace("configure(", "configure(include_schemas=True, ")
    env.write_text(all_schemas)
    assert "schema='arcano'" in app.tried(ALEMBIC + "check").stdout
    [left_out] = re.findall(r"(?ms)^```python\n(def include_name.*?)^```", page_text("alembic.md"))
    env.write_text(left_out + all_schemas.replace("configure(", "configure(include_name=include_name, "))
    assert "No new upgrade operations detected." in app.run(ALEMBIC + "check")


def test_alembic_attached_with_no_word_of_it_in_the_model(app: App) -> None:
    sections_of_alembic(app, "Attached")
    model = app.folder / "models.py"
    model.write_text(model.read_text().replace("class Job(JobColumns, Base)", "class Job(Base)"))
    assert "No new upgrade operations detected." in app.run(ALEMBIC + "check")
    # A column of the app's own that the model has no more is seen all the same.
    model.write_text(model.read_text().replace("    prompt: Mapped[str | None]\n", ""))
    assert "remove_column', None, 'jobs', Column('prompt'" in app.tried(ALEMBIC + "check").stdout


def test_alembic_with_the_columns_from_the_start(app: App) -> None:
    app.follow("alembic.md", "")
    model = app.folder / "models.py"
    imported = "from arcano_db.orms.sqlalchemy import JobColumns\n"
    model.write_text(imported + model.read_text().replace("class Job(Base)", "class Job(JobColumns, Base)"))
    app.run(ALEMBIC + "revision --autogenerate --rev-id columns -m columns")
    app.run(ALEMBIC + "upgrade head")
    app.follow("alembic.md", "The package's SQL as a revision")
    install = app.folder / "migrations/versions/arcano_install.py"
    install.write_text(install.read_text().replace('"jobs"', '"columns"'))
    assert "No new upgrade operations detected." in app.follow("alembic.md", "Attached")
    with psycopg.connect(app.url) as connection:
        assert connection.execute("select added_columns from arcano.job_table").fetchone() == ([],)


def test_alembic_mapped(app: App) -> None:
    said = sections_of_alembic(app, "Mapped instead", "Calling it")
    assert said.count("No new upgrade operations detected.") == 1
    assert said.endswith("queued\n")
    # Nothing needs to be said to Alembic for it.
    env = app.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace(", include_object=include_object", ""))
    assert "No new upgrade operations detected." in app.run(ALEMBIC + "check")
    app.run(ALEMBIC + "downgrade arcano && " + ALEMBIC + "upgrade head")


def test_the_columns_are_those_of_the_contract(empty_dsn: str) -> None:
    migrating.migrate(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        [contract] = connection.execute(
            "select array_agg(attname::text) from pg_attribute"
            " where attrelid = 'arcano.job'::regclass and attnum > 0"
        ).fetchone()
    own = {"id", "user_id", "status", "created_at"}
    assert set(JobColumns.__annotations__) == set(contract) - own


# --- Django ----------------------------------------------------------------------------------------------


def sections_of_django(app: App, *sections: str) -> str:
    return app.follow("django.md", "", "The package's SQL as a migration", *sections)


@pytest.mark.parametrize("way", ["Attached", "Attached, and the model as it was", "Mapped instead"])
def test_django(app: App, way: str) -> None:
    said = sections_of_django(app, way, "Calling it")
    assert "No changes detected" in said
    assert "Ran 1 test in" in said
    if way != "Mapped instead":
        assert "Ran 2 tests in" in app.follow("django.md", "A block that cannot forget its job")
    with psycopg.connect(app.url) as connection:
        db = ArcanoDB(connection)
        if way != "Mapped instead":
            assert is_attached(app, "public.render_job")
            added = connection.execute("select cardinality(added_columns) from arcano.job_table").fetchone()
            assert added == ((0,) if way == "Attached" else (14,))
        assert db.check_user_active(1).has_active_job is False
    app.run("python manage.py migrate render 0002 && python manage.py migrate")
    # And it would see what is not in a migration.
    models = app.folder / "render" / "models.py"
    models.write_text(
        models.read_text().replace('    prompt = models.TextField(default="", db_default="")\n', "")
    )
    assert "Remove field prompt" in app.tried("python manage.py makemigrations --check --dry-run").stdout


def test_djangos_columns_are_those_of_the_contract() -> None:
    names = {field.name for field in DjangoColumns._meta.local_fields}
    assert names == set(JobColumns.__annotations__)


# --- Drizzle ---------------------------------------------------------------------------------------------


def in_node(app: App, page: str, cache: Path) -> App:
    """The same app where Node finds what the page installs; npm is asked once."""
    [packages] = re.findall(r"(?m)^npm install (.*)$", page_text(page))
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not on this machine")
    if not (cache / "installed").exists():
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", cache, *packages.split()]
        subprocess.run(command, check=True, capture_output=True, cwd=cache)
        (cache / "installed").touch()
    (app.folder / "node_modules").symlink_to(cache / "node_modules")
    (app.folder / "package.json").write_text("{}")
    return App(app.folder, app.url.replace("@/", "@localhost/"))


@pytest.fixture
def drizzle(app: App, request: pytest.FixtureRequest) -> App:
    return in_node(app, "drizzle.md", request.config.cache.mkdir("drizzle"))


NOTHING = ("No changes detected", "No schema changes, nothing to migrate")


@pytest.mark.parametrize("way", ["Attached", "Mapped instead"])
def test_drizzle(drizzle: App, way: str) -> None:
    said = drizzle.follow("drizzle.md", "", "The package's SQL as a migration", way, "Calling it")
    for nothing in NOTHING:
        assert nothing in said
    assert said.endswith("true true queued\n")
    assert "No changes detected" in drizzle.run("npx drizzle-kit push")
    assert way != "Attached" or is_attached(drizzle, "public.jobs")
    # And it would see what the schema does not have.
    schema = drizzle.folder / "schema.ts"
    if way == "Attached":
        schema.write_text(
            schema.read_text()
            .replace("  ...arcanoColumns,\n", "")
            .replace(", ...arcanoIndexes('jobs', t)", "")
        )
    else:
        schema.write_text(schema.read_text().replace("  prompt: text('prompt'),\n", ""))
    deleted = "session_id" if way == "Attached" else "prompt"
    assert f"You're about to delete {deleted} column" in drizzle.tried("npx drizzle-kit push").stdout


# --- TypeORM ---------------------------------------------------------------------------------------------


@pytest.fixture
def typeorm(app: App, request: pytest.FixtureRequest) -> App:
    return in_node(app, "typeorm.md", request.config.cache.mkdir("typeorm"))


UP_TO_DATE = "Your schema is up to date - there are no queries to be executed by schema synchronization."


@pytest.mark.parametrize("way", ["Attached", "Mapped instead"])
def test_typeorm(typeorm: App, way: str) -> None:
    said = typeorm.follow("typeorm.md", "", "The package's SQL as a migration", way, "Calling it")
    assert UP_TO_DATE in said
    assert said.endswith("true true queued\n")
    assert way != "Attached" or is_attached(typeorm, "public.jobs")
    # And it would see what the entity does not have.
    entity = typeorm.folder / "job.js"
    told = (
        "    ...arcanoColumns,\n" if way == "Attached" else "    prompt: { type: 'text', nullable: true },\n"
    )
    entity.write_text(entity.read_text().replace(told, ""))
    assert 'ALTER TABLE "jobs" DROP COLUMN' in typeorm.run("npx typeorm schema:log -d data-source.js")
