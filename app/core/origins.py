"""The origins of browser pages that may call the API and open sockets."""

import re
from collections.abc import Sequence

EVERY_ORIGIN = "*"
EVERY_PORT = ":*"
LOCALHOST_ORIGINS = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")
"""Pages that are served from this machine, such as those of a development server of an app."""


def pattern_of(allowed: Sequence[str]) -> str | None:
    """A regular expression for the entries that allow every port; None if there are none."""
    hosts = [re.escape(entry.removesuffix(EVERY_PORT)) for entry in allowed if entry.endswith(EVERY_PORT)]
    return rf"(?:{'|'.join(hosts)})(?::[0-9]{{1,5}})?" if hosts else None


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Whether an origin is in the list, or has the host of an entry that allows every port."""
    if EVERY_ORIGIN in allowed or origin in allowed:
        return True
    pattern = pattern_of(allowed)
    return pattern is not None and re.fullmatch(pattern, origin) is not None
