"""`python -m app.cli.gate COMMAND… [+ COMMAND…]`: import what commands need at once, run them when told to.

`ias up` starts its programs like this, so that their imports do not wait for one another.
"""

import sys
from contextlib import nullcontext
from importlib import import_module

from app.cli import app
from app.cli.metrics import shared_metrics

_NEEDED = {
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
        for module in _NEEDED.get(command[0], []):
            import_module(module)
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
