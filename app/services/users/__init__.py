"""People: who is asking, their profile, and what they may do."""

from app.services.users.users import (
    OPERATOR_ID,
    Principal,
    ProfileUpdate,
    change_profile,
    ensure_profile,
    find_principal,
    operator,
    principal_of,
    profile,
    stored_address,
)

__all__ = [
    "OPERATOR_ID",
    "Principal",
    "ProfileUpdate",
    "change_profile",
    "ensure_profile",
    "find_principal",
    "operator",
    "principal_of",
    "profile",
    "stored_address",
]
