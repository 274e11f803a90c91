"""What can go wrong with an embedded server, as a sentence for the person at the terminal."""


class ServerError(Exception):
    """A server could not be started, reached or stopped."""


class HomeInUse(ServerError):
    """Another process holds the home folder."""
