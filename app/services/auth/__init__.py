"""Accounts and sessions: registration, sign-in, and ending sessions."""

from app.services.auth.auth import (
    AccountChanges,
    RegisteredAccount,
    SignedIn,
    auth_errors,
    change_account,
    confirm,
    login,
    logout,
    prove_password,
    refresh,
    register,
    reset_password,
    rest_of_floor,
)

__all__ = [
    "AccountChanges",
    "RegisteredAccount",
    "SignedIn",
    "auth_errors",
    "change_account",
    "confirm",
    "login",
    "logout",
    "prove_password",
    "refresh",
    "register",
    "reset_password",
    "rest_of_floor",
]
