"""`ias migrate`: bring the database to this version."""

import asyncio
from pathlib import Path

from app.cli.servers import ensure_servers

_APP = Path(__file__).parents[1]


def migrate() -> None:
    """Bring the database to the newest version; a database that has it is not changed.

    If several processes migrate, each waits for the one before.
    """
    with ensure_servers(migrated=False):
        from alembic import command  # noqa: PLC0415 -- heavy
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
        command.upgrade(config, "head")
        asyncio.run(_ensure_content())


def _migrations() -> Path:
    """The folder of migrations: in the wheel it is in `app`; in a checkout and the image it is beside it."""
    packaged = _APP / "migrations"
    return packaged if packaged.is_dir() else _APP.parent / "migrations"


async def _ensure_content() -> None:
    """Make the default institute and the partitions for responses, which the application needs."""
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
