"""`python -m benchmarks.notices [candidates]`: measures notifications to all candidates of an exam.

With a new, durable PostgreSQL, it creates the notifications (for the inbox, sockets and mail), runs the loop
again, and sends the mails to an SMTP server in a separate process that accepts all of them.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text

from app.config import Settings
from app.core.telemetry import configure_logging
from app.database import create_engine
from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from devservers.postgres import Postgres
from tests.builders.notifications import Event, add_announced_exam
from tests.servers.mail import Inbox, serving

PEOPLE = text(
    """
    with people as (
      insert into ias.users (id, email, name)
      select gen_random_uuid(), 'candidate' || number || '@example.org', 'Asha Rao'
      from generate_series(1, :count) as number
      returning id
    )
    insert into ias.registrations (id, exam_id, user_id, roll_number, name, category, created_at)
    select gen_random_uuid(), :exam_id, id, id, 'Asha Rao', 'general', :registered_at from people
    """
)


async def main(count: int) -> None:
    """Run the operations and print their times."""
    configure_logging("WARNING")
    async with prepared() as (parts, event):
        now = parts.clock.now()
        async with unit_of_work(parts.engine) as uow:
            values = {"count": count, "exam_id": event.exam_id, "registered_at": now - timedelta(days=2)}
            await uow.session.execute(PEOPLE, values)
        reminders = notifications.Reminders(parts)
        created = await timed(f"reminders for {count:,} people", reminders.remind())
        assert created == count
        again = await timed("the next run of the loop", reminders.remind())
        other = await timed("a run in another worker", notifications.Reminders(parts).remind())
        assert again == other == 0
        sent = await timed(f"sending {count:,} mails", send_all(parts))
        assert sent == count


async def send_all(parts: Components) -> int:
    """Send all due deliveries. Returns their number."""
    sent = 0
    while taken := await notifications.deliver_due(parts):
        sent += taken
    return sent


async def timed(what: str, work: Any) -> Any:
    """Await `work`, print its time and return its result."""
    begin, cpu = time.perf_counter(), time.process_time()
    result = await work
    print(f"{what}: {time.perf_counter() - begin:.2f} s, {time.process_time() - cpu:.2f} s of our CPU")
    return result


@asynccontextmanager
async def prepared() -> AsyncIterator[tuple[Components, Event]]:
    """The components of a worker, and an exam that opens in 14 minutes."""
    with tempfile.TemporaryDirectory() as folder, mail_server() as address:
        postgres = Postgres(Path(folder) / "postgres", durable=True)
        postgres.start()
        postgres.ensure_database("ias", "ias", "benchmark")
        settings = Settings(
            database_url=SecretStr(postgres.url("ias", "ias", "benchmark")),
            smtp_url=SecretStr(f"smtp://{address}"),
            mail_from="IAS <no-reply@ias.example>",
        )
        await migrate(settings)
        async with open_components(settings, application_name="ias-benchmark", pool_size=10) as parts:
            async with unit_of_work(parts.engine) as uow:
                await uow.users.ensure_default_institute()
                event = await add_announced_exam(uow, parts.clock.now() + timedelta(minutes=14))
            yield parts, event
            await parts.mailer.close()
        postgres.stop()


async def migrate(settings: Settings) -> None:
    """Run the migrations."""
    engine = create_engine(settings, pool_size=1)

    def upgrade(connection: SyncConnection) -> None:
        config = Config("alembic.ini")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


class mail_server:  # noqa: N801 -- used like a function
    """A mail server in a separate process."""

    def __enter__(self) -> str:
        ours, theirs = Pipe()
        self._process = Process(target=_serve_mail, args=(theirs,), daemon=True)
        self._process.start()
        return str(ours.recv())

    def __exit__(self, *_: object) -> None:
        self._process.kill()


def _serve_mail(tell: Connection) -> None:
    async def serve() -> None:
        async with serving(Inbox()) as address:
            tell.send(address)
            await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
