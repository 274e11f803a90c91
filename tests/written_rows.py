"""What has been written to any table."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


async def everything(engine: AsyncEngine) -> dict[str, tuple[int, int]]:
    """By table, how many rows it has and which transaction was the last to write one: any change is seen.

    Of messages the last number counts: meanwhile the publisher may mark those that were there before.
    """
    tables = text("select tablename from pg_tables where schemaname = 'ias' order by 1")
    async with engine.connect() as connection:
        last_written = dict.fromkeys(await connection.scalars(tables), "xmin::text::bigint")
        last_written["messages"] = "number"
        counts = (
            f"select '{name}', count(*), max({last}) from ias.{name}" for name, last in last_written.items()
        )
        rows = await connection.execute(text(" union all ".join(counts)))
        return {name: (count, last) for name, count, last in rows}
