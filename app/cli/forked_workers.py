"""Several API processes that share the memory of what was imported before they were forked.

The processes that uvicorn starts by itself import the application anew: each has 150 MB of its own.
"""

import gc
import signal
from multiprocessing.context import ForkContext, ForkProcess
from socket import socket

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from uvicorn import Config, _subprocess
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import SIGNALS


class _Worker(ForkProcess):
    def run(self) -> None:
        """Serve. The handlers of the parent would ignore a signal that arrives before uvicorn's are set."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        super().run()


class _Forking(ForkContext):
    Process = _Worker


def _analyze_routes(app: FastAPI) -> None:
    """Let FastAPI analyze the routes of all routers, as it does at the first request of each.

    In the processes this would block the event loop, and copy the memory that it touches: 30 MB in each.
    """
    for _ in iter_route_contexts(app.routes):
        pass


def serve(config: Config, sockets: list[socket]) -> None:
    """Import the application and serve it by as many processes as it says. One that ends is replaced."""
    config.load()
    if isinstance(app := config.loaded_app, FastAPI):  # uvicorn wraps it if it logs each message.
        _analyze_routes(app)
        if app.openapi_url is not None:
            app.openapi()  # Otherwise each process would build the document.
    gc.collect()
    gc.freeze()  # Otherwise each collection would copy the memory that the processes share.
    _subprocess.spawn = _Forking()  # type: ignore[assignment] # uvicorn has no option for it
    Multiprocess(config, sockets=sockets).run()
