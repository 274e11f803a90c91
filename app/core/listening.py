"""The sockets on which the API listens."""

import socket
from collections.abc import Sequence

ACCEPTED_AT_ONCE = 16
"""uvloop accepts one connection for each listening socket in an iteration of its loop (libuv's pull request
3696). Under load an iteration takes as long as all requests that are ready, so that new clients would wait in
the kernel's queue until they give up, while those with a connection are served (docs/decisions/0098)."""


def listeners(bound: socket.socket) -> Sequence[socket.socket]:
    """The bound socket and copies of it, which share its queue."""
    return [bound, *(bound.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]
