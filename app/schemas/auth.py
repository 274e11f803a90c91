"""Accounts, sessions and tokens."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, EmailStr, Field, SecretStr, StringConstraints

from app.core.names import MAX_NAME_LENGTH, email_address
from app.repositories.users import Member
from app.schemas.common import ONE_LINE, In, Out
from app.services.auth import RegisteredAccount, SignedIn


def _plain_address(value: Any) -> Any:
    """Pydantic alone would also read the address in `"Doe, Jane" <jane@example.org>`."""
    if isinstance(value, str):
        email_address(value)
    return value


Email = Annotated[EmailStr, BeforeValidator(_plain_address)]
"""One plain address, without a display name."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH), ONE_LINE]
Password = Annotated[
    SecretStr, Field(max_length=1000, description="8 characters to 72 bytes, not a common password")
]
OneTimeToken = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class RegisterIn(In):
    """A new account."""

    email: Email
    password: Password
    name: Name


class LoginIn(In):
    """Credentials. The password policy is not checked here: a password that violates it is wrong."""

    email: Annotated[str, StringConstraints(max_length=320)]
    password: Annotated[SecretStr, Field(max_length=1000)]


class RefreshIn(In):
    """The refresh token of the last response."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class LogoutIn(In):
    """Which sessions to end."""

    scope: Literal["local", "global", "others"] = "local"


class EmailIn(In):
    """The address that gets the mail."""

    email: Email


class TokenIn(In):
    """The token of a mail."""

    token: OneTimeToken


class ResetPasswordIn(TokenIn):
    """The token of a mail and the new password."""

    password: Password


class AccountIn(In):
    """What to change. A new password needs the current one."""

    name: Name | None = None
    password: Password | None = None
    current_password: Annotated[SecretStr, Field(max_length=1000)] | None = None


class AccountOut(Out):
    """An account."""

    id: UUID
    email: str
    name: str
    role: str

    @classmethod
    def of(cls, member: Member) -> Self:
        """The account of a member."""
        user = member.user
        return cls(id=user.id, email=user.email, name=user.name, role=member.role)


class SessionOut(Out):
    """A session. Send the access token as bearer token. When it has expired, send the refresh token."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 -- the type's name
    expires_in: int
    user: AccountOut

    @classmethod
    def of(cls, signed_in: SignedIn) -> Self:
        """The session of a sign-in."""
        session = signed_in.session
        return cls(
            access_token=session.access_token,
            refresh_token=session.refresh_token,
            expires_in=session.expires_in,
            user=AccountOut.of(signed_in.member),
        )


class RegisteredOut(Out):
    """A new account. The tokens are null if the address must be confirmed first."""

    user_id: UUID
    email: str
    name: str
    confirmation_required: bool
    access_token: str | None = None
    refresh_token: str | None = None
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 -- the type's name
    expires_in: int | None = None

    @classmethod
    def of(cls, registered: RegisteredAccount) -> Self:
        """The result of a registration."""
        session = registered.session
        return cls(
            user_id=registered.user_id,
            email=registered.email,
            name=registered.name,
            confirmation_required=session is None,
            access_token=session.access_token if session else None,
            refresh_token=session.refresh_token if session else None,
            expires_in=session.expires_in if session else None,
        )
