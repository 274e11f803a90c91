"""A plugin of pytest that collects no garbage before the first test (`-p` in pyproject.toml loads it first).

Modules and collected tests live as long as the process. Scanning them for garbage takes half a second of the
imports alone, and would take a tenth of the time of a run, so that they are excluded before the first test.
So is the garbage of the imports, a quarter of these objects: to find it takes a second.
"""

import gc

gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)  # With Python's own 700, collections take twice the time.
    gc.enable()
