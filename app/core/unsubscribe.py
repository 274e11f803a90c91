"""Tokens in mails with which the recipient unsubscribes without signing in."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

from app.core.clock import Clock
from app.core.tokens import TokenRejected

_KEY_LABEL = b"ias unsubscribe token v1"
_ISSUER = "ias/unsubscribe"
_LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """A user's wish to get no more mails of a topic."""

    user_id: UUID
    topic: str


class UnsubscribeTokens:
    """Signs and verifies unsubscribe tokens, with a key that is derived for this purpose."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._key = hmac.digest(secret.encode(), _KEY_LABEL, "sha256")
        self._clock = clock

    def issue(self, unsubscription: Unsubscription) -> str:
        """Create a token. It is valid for a year, because mails may be read long after they were sent."""
        expires_at = self._clock.now() + _LIFETIME
        claims = {
            "iss": _ISSUER,
            "sub": str(unsubscription.user_id),
            "topic": unsubscription.topic,
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(claims, self._key, "HS256")

    def read(self, token: str) -> Unsubscription:
        """The content of a token. Raises TokenRejected if it is not valid or has expired."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                issuer=_ISSUER,
                options={"require": ["exp", "sub"], "verify_exp": False},
            )
            unsubscription = Unsubscription(UUID(claims["sub"]), str(claims["topic"]))
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise TokenRejected(str(error)) from error
        if expires_at <= self._clock.now():
            raise TokenRejected("The token has expired")
        return unsubscription
