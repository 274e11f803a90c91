"""The limit of open files, which also limits sockets."""

import resource


def allow_many() -> None:
    """Raise the soft limit to the hard limit. A common soft limit is 1,024, too few for a large exam."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
