"""The folder in which several processes share their metrics, so that one of them can show all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def shared_metrics() -> Iterator[None]:
    """A folder for `prometheus_client`, which reads its path at import: enter this block before that."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ias-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield
