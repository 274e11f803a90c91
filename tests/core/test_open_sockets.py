"""The accept loop when no file descriptor is free: it waits, and serves again when there is one."""

import socket
import subprocess
import sys

from devservers.processes import wait_for
from tests.waiting import PATIENCE, answers

SERVER = """
import resource, sys
import uvicorn

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
uvicorn.run(app, port=0, fd=int(sys.argv[1]), loop="uvloop", lifespan="off", log_level="warning")
"""


def soon(port: int) -> bool:
    return wait_for(lambda: answers(f"http://127.0.0.1:{port}/"), timeout=PATIENCE)


class TestAcceptLoop:
    def test_a_crowd_that_takes_every_descriptor_stops_nobody_who_comes_after_it(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
            port = listening.getsockname()[1]
            listening.set_inheritable(True)
            command = [sys.executable, "-c", SERVER, str(listening.fileno())]
            with subprocess.Popen(command, pass_fds=[listening.fileno()]) as server:
                try:
                    assert soon(port)
                    crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(60)]
                    assert server.poll() is None
                    for connection in crowd:
                        connection.close()
                    assert soon(port)
                    assert server.poll() is None
                finally:
                    server.kill()
