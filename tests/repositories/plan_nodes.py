"""Query plans as PostgreSQL's EXPLAIN describes them in JSON."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

Node = Mapping[str, Any]


def literal(value: Any) -> str:
    """A value as SQL writes it. A list becomes a text that is the literal of an array."""
    if isinstance(value, list):
        value = "{" + ",".join(map(_element, value)) + "}"
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def _element(value: Any) -> str:
    if value is None:
        return "null"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def nodes(plan: Node) -> Iterator[Node]:
    """A node of a plan and all nodes below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def seen_statements(
    connection: AsyncConnection, use: Callable[[], Awaitable[object]]
) -> list[tuple[str, Any]]:
    """The statements on our tables that a call runs, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        seen.append((statement, values))

    engine = connection.engine.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    await use()
    event.remove(engine, "before_cursor_execute", keep)
    return [each for each in seen if "ias." in each[0]]


async def plan_of(connection: AsyncConnection, statement: str, values: Sequence[Any]) -> Node:
    """How PostgreSQL ran a statement."""
    run = connection.exec_driver_sql
    await run(f"prepare planned as {statement}")
    literals = f"({', '.join(map(literal, values))})" if values else ""
    [[answer]] = (await run(f"explain (analyze, timing off, format json) execute planned{literals}")).all()
    await run("deallocate planned")
    plan: Node = (orjson.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return plan


def scanned_tables(plan: Node) -> set[str]:
    """The tables that are read from one end to the other."""
    return {str(node["Relation Name"]) for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def rows_read(plan: Node) -> Counter[str]:
    """By table, how many rows were looked at, those that a filter threw away too."""
    counts: Counter[str] = Counter()
    for node in nodes(plan):
        if table := node.get("Relation Name"):
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            counts[str(table)] += int(node["Actual Loops"] * rows)
    return counts
