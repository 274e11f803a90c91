"""Accounts and sessions: our rules around the auth server."""

from app.services.auth.auth import (
    Registered,
    SignedIn,
    auth_errors,
    change_account,
    confirm,
    login,
    logout,
    refresh,
    register,
    reset_password,
    rest_of_floor,
)

__all__ = [
    "Registered",
    "SignedIn",
    "auth_errors",
    "change_account",
    "confirm",
    "login",
    "logout",
    "refresh",
    "register",
    "reset_password",
    "rest_of_floor",
]
