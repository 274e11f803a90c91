"""`python -m app.cli.gate COMMAND… [+ COMMAND…]`: import the modules of commands, then wait to run them.

The commands run when a line arrives on standard input. `ias up` starts its programs in this way, so that they
import their modules at the same time.
"""

import gc
import sys
from contextlib import nullcontext
from importlib import import_module

from app.cli import app
from app.cli.metrics import shared_metrics

_MODULES = {
    "migrate": ["alembic.command", "app.services.unit_of_work"],
    "demo": ["app.cli.demo_content"],
    "worker": ["app.workers.supervisor"],
    "serve": ["uvicorn", "app.main"],
}


def main(arguments: list[str]) -> None:
    commands = _split(arguments)
    with shared_metrics() if commands[0][0] == "worker" else nullcontext():
        _run(commands)


def _run(commands: list[list[str]]) -> None:
    for command in commands:
        for module in _MODULES.get(command[0], []):
            import_module(module)
    gc.freeze()
    if not sys.stdin.readline():  # The parent has ended.
        return
    for command in commands:
        try:
            app(command, prog_name="ias")
        except SystemExit as end:
            if end.code:
                raise


def _split(arguments: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for argument in arguments:
        if argument == "+":
            commands.append([])
        else:
            commands[-1].append(argument)
    return commands


if __name__ == "__main__":
    main(sys.argv[1:])
