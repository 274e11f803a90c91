"""Errors of embedded servers. Their messages are shown at the terminal."""


class ServerError(Exception):
    """A server could not be started, reached or stopped."""


class SettingsError(ServerError):
    """A variable is missing or invalid; the message names it."""


class HomeInUse(ServerError):
    """Another process holds the home folder."""
