"""Access tokens, refresh tokens and one-time tokens: how they are made, and when old ones are valid."""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devservers.auth.errors import ApiError
from devservers.auth.store import Session, User

_AUDIENCE = "authenticated"


def new_signing_key() -> bytes:
    """A P-256 private key as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_one_time_token() -> str:
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> bytes:
    """The hash of a token for the database. Tokens are long and random, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Bearer:
    """The verified claims of an access token."""

    user_id: UUID
    session_id: UUID


class AccessTokens:
    """Signs and verifies ES256 tokens with the key of this server."""

    def __init__(self, pem: bytes, issuer: str, lifetime: int) -> None:
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("The signing key is not an elliptic curve key.")
        self._private = key
        self._public = key.public_key()
        self._issuer = issuer
        self.lifetime = lifetime
        self._kid = _thumbprint(self._public)

    def sign(self, user: User, session: Session) -> tuple[str, int]:
        """The token and the time at which it expires, in seconds."""
        now = int(time.time())
        expires_at = now + self.lifetime
        claims = {
            "iss": self._issuer,
            "sub": str(user.id),
            "aud": _AUDIENCE,
            "exp": expires_at,
            "iat": now,
            "email": user.email,
            "phone": "",
            "app_metadata": user.app_metadata,
            "user_metadata": user.user_metadata,
            "role": _AUDIENCE,
            "aal": "aal1",
            "amr": [{"method": session.method, "timestamp": int(session.created_at.timestamp())}],
            "session_id": str(session.id),
            "is_anonymous": False,
        }
        return jwt.encode(claims, self._private, "ES256", headers={"kid": self._kid}), expires_at

    def verify(self, token: str) -> Bearer:
        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["ES256"],
                audience=_AUDIENCE,
                issuer=self._issuer,
                options={"require": ["exp", "sub", "session_id"]},
            )
        except jwt.InvalidTokenError as error:
            raise ApiError(403, "bad_jwt", f"invalid JWT: unable to verify token: {error}") from error
        return Bearer(UUID(claims["sub"]), UUID(claims["session_id"]))

    def jwks(self) -> dict[str, Any]:
        key = jwt.algorithms.ECAlgorithm.to_jwk(self._public, as_dict=True)
        return {"keys": [{**key, "kid": self._kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"]}]}


def _thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


class RefreshTokens:
    """Derives a session's refresh tokens from a secret, so that the current one can be issued again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def derive(self, session_id: UUID, number: int) -> str:
        digest = hmac.digest(self._secret, session_id.bytes + number.to_bytes(8), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Use(Enum):
    """The outcome of presenting a refresh token."""

    ROTATE = "the active token: the next one takes its place"
    REPEAT = "an old token that may be used once more: it gives the active one again"
    REUSED = "an old token that nobody should have any more: the session ends"


def judge(
    *, number: int, active: int, rotated_at: datetime | None, now: datetime, interval: timedelta
) -> Use:
    """Judge a refresh token. A client whose response was lost, or with several tabs, presents the parent."""
    if number == active:
        return Use.ROTATE
    if number == active - 1:
        return Use.REPEAT
    if rotated_at is not None and now - rotated_at <= interval:
        return Use.REPEAT
    return Use.REUSED
