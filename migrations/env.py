"""Alembic's environment: schema `ias`, one transaction per migration, one migrator at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from app.config import get_settings
from app.database import create_engine
from app.models import SCHEMA, Base

MIGRATION_LOCK = 0x1A5  # any constant: everybody who migrates takes the same one

# Decision D3; run after every migration, so that no new table is forgotten.
PROTECT_SCHEMA = f"""
do $$
declare relation regclass; routine regprocedure; stranger text;
begin
  for relation in
    select oid from pg_class
    where relnamespace = '{SCHEMA}'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
  loop
    execute format('alter table %s enable row level security', relation);
  end loop;
  for stranger in
    select 'public' union all select rolname from pg_roles where rolname in ('anon', 'authenticated')
  loop
    execute format('revoke all on all tables in schema {SCHEMA} from %s', stranger);
    execute format('revoke all on all sequences in schema {SCHEMA} from %s', stranger);
    -- Routines of other owners are left out, such as those of pg_trgm: revoking would only give warnings.
    for routine in
      select oid::regprocedure from pg_proc
      where pronamespace = '{SCHEMA}'::regnamespace and pg_has_role(proowner, 'usage')
    loop
      execute format('revoke all on routine %s from %s', routine, stranger);
    end loop;
    execute format('revoke all on schema {SCHEMA} from %s', stranger);
  end loop;
end $$
"""  # noqa: S608 -- no input in it


def belongs_to_us(name: str | None, kind: str, _parents: object) -> bool:
    """Compare our schema alone, and not the partitions, which the worker makes."""
    if kind == "schema":
        return name == SCHEMA
    return kind != "table" or not str(name).startswith("response_events_")


def migrate(connection: Connection) -> None:
    """Run the migrations on an open connection; a second migrator waits for the first."""
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    # Asked first: `if not exists` alone would want the right to create schemas each time.
    if connection.scalar(text("select to_regnamespace(:schema)"), {"schema": SCHEMA}) is None:
        connection.execute(text(f"create schema {SCHEMA}"))
    # A role called like the schema finds it by "$user"; comparing needs every table to be named in full.
    connection.execute(text("set local search_path to public"))
    connection.dialect.default_schema_name = "public"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=belongs_to_us,
        compare_type=True,
    )
    context.run_migrations()
    connection.execute(text(PROTECT_SCHEMA))


async def connect_and_migrate() -> None:
    engine = create_engine(get_settings(), application_name="ias-migrate", pool_size=1)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    raise SystemExit("Offline migrations are not supported: the migrations look at the roles that exist.")
if given is not None:
    migrate(given)
else:
    asyncio.run(connect_and_migrate())
