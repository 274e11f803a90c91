"""`ias migrate`: the database as this version needs it."""

import asyncio
from pathlib import Path

import typer

from app.cli.servers import ensure_servers

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate() -> None:
    """Bring the database up to date; nothing happens where it is. One migrator at a time."""
    if not MIGRATIONS.is_dir():
        typer.echo(
            f"There are no migrations in {MIGRATIONS}: run from a checkout or the container.", err=True
        )
        raise SystemExit(1)
    with ensure_servers(migrated=False):
        from alembic import command  # noqa: PLC0415 -- heavy
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        command.upgrade(config, "head")
        asyncio.run(_ensure_content())


async def _ensure_content() -> None:
    """The rows without which nothing works: the default institute, and partitions for responses."""
    from app.config import get_settings  # noqa: PLC0415
    from app.core.clock import SystemClock  # noqa: PLC0415
    from app.database import create_engine  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415

    engine = create_engine(get_settings(), application_name="ias-migrate", pool_size=1)
    try:
        async with unit_of_work(engine) as uow:
            await uow.users.ensure_default_institute()
            await uow.attempts.ensure_partitions(SystemClock().now())
    finally:
        await engine.dispose()
