"""How many files a process may open: as many as the system allows it, since each socket is one."""

import resource


def allow_many() -> None:
    """Raise the soft limit to the hard one. Many systems begin with 1,024, a mid-sized exam's sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
