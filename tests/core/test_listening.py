"""New connections are accepted in crowds, also while the event loop is busy."""

import asyncio
import socket
from contextlib import ExitStack

import uvloop

from app.core.listening import listeners

CROWD = 128


async def iterations_until_all_are_accepted(bound: socket.socket) -> int:
    """The iterations of the event loop in which a crowd that waits already is accepted."""
    accepted: list[asyncio.Protocol] = []

    class Counted(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.append(self)

    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Counted, sock=each, backlog=2 * CROWD) for each in listeners(bound)]
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(socket.create_connection(bound.getsockname(), timeout=5))
        iterations = 0
        while len(accepted) < CROWD:
            await asyncio.sleep(0)
            iterations += 1
        for server in servers:
            server.close()
    return iterations


class TestListeners:
    def test_a_crowd_is_accepted_in_few_iterations_of_the_event_loop(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=2 * CROWD) as bound:
            assert uvloop.run(iterations_until_all_are_accepted(bound)) <= CROWD / 4
