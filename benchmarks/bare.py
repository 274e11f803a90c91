"""The baseline of the benchmarks: a minimal server with Starlette and asyncpg."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from secrets import randbits
from uuid import UUID, uuid4

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

CREATE = """
create table if not exists bare_events (
  attempt_id uuid, question_id uuid, lease int, revision int, answer jsonb,
  received_at timestamptz not null default clock_timestamp(),
  primary key (attempt_id, question_id, lease, revision))
"""
CREATE_STARTS = """
create table if not exists bare_attempts (like ias.attempts including all);
create table if not exists bare_leases (like ias.attempt_leases including all)
"""
START = """
with started as (
  insert into bare_attempts (id, test_id, paper_id, user_id, number, practice, seed, started_at, deadline_at)
  values ($1, $2, $3, $4, 1, false, $5, $6, $7) returning id, device, started_at
)
insert into bare_leases (attempt_id, lease, device, given_at) select id, 1, device, started_at from started
"""
INSERT = "insert into bare_events values ($1, $2, $3, $4, $5) on conflict do nothing"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    size = int(os.environ["DATABASE_POOL_SIZE"])
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=size, max_size=size) as pool:
        await pool.execute(CREATE)
        await pool.execute(CREATE_STARTS)
        app.state.pool = pool
        yield


async def save(request: Request) -> Response:
    """Insert one row and commit."""
    body = orjson.loads(await request.body())
    sent = body["responses"][0]
    answer = orjson.dumps(sent["answer"]).decode()
    attempt_id, question_id = UUID(body["attempt_id"]), UUID(sent["question_id"])
    await request.app.state.pool.execute(
        INSERT, attempt_id, question_id, body["lease"], sent["revision"], answer
    )
    return Response(b'{"saved":1}', media_type="application/json")


async def start(request: Request) -> Response:
    """Insert an attempt and a lease, and commit. The tables have the indexes of the product's."""
    body = orjson.loads(await request.body())
    now = datetime.now(UTC)
    row = uuid4(), UUID(body["test_id"]), UUID(body["paper_id"]), uuid4(), randbits(62)
    await request.app.state.pool.execute(START, *row, now, now + timedelta(hours=2))
    return Response(orjson.dumps({"id": row[0], "started_at": now}), 201, media_type="application/json")


async def paper(request: Request) -> Response:
    """Return the same bytes as the API, from memory."""
    return Response(_bytes("BARE_PAPER"), media_type="application/json", headers={"Content-Encoding": "gzip"})


async def unchanged(request: Request) -> Response:
    """Say that the paper has not changed, without looking."""
    return Response(status_code=304)


async def signing_keys(request: Request) -> Response:
    """Return the public key of the access tokens, in place of an auth server."""
    return Response(_bytes("BARE_SIGNING_KEYS"), media_type="application/json")


async def sign_in(request: Request) -> Response:
    """Answer after a while with a session that was made before, in place of an auth server."""
    await asyncio.sleep(0.1)
    email = orjson.loads(await request.body())["email"]
    return Response(orjson.dumps(_sessions()[email]), media_type="application/json")


@cache
def _sessions() -> dict[str, object]:
    sessions: dict[str, object] = orjson.loads(_bytes("BARE_SESSIONS"))
    return sessions


SOCKETS: set[WebSocket] = set()


async def socket(websocket: WebSocket) -> None:
    """Keep a socket open until its client leaves."""
    await websocket.accept()
    SOCKETS.add(websocket)
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    SOCKETS.discard(websocket)


async def send(request: Request) -> Response:
    """Send a text to all sockets, one after the other."""
    text = orjson.loads(await request.body())["text"]
    for websocket in list(SOCKETS):
        await websocket.send_text(text)
    return Response(b"{}", media_type="application/json")


@cache
def _bytes(variable: str) -> bytes:
    return Path(os.environ[variable]).read_bytes()


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/save", save, methods=["POST"]),
        Route("/start", start, methods=["POST"]),
        Route("/paper", paper),
        Route("/auth/v1/token", sign_in, methods=["POST"]),
        WebSocketRoute("/sockets", socket),
        Route("/sockets/send", send, methods=["POST"]),
        Route("/unchanged", unchanged),
        Route("/auth/v1/.well-known/jwks.json", signing_keys),
    ],
)
