"""Keys, and tokens put together by hand: good ones, and those that no library would make."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.utils import base64url_encode

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.tokens import (
    AccessTokenVerifier,
    AttemptGrant,
)

ISSUER = "https://project.example.org/auth/v1"
SECRET = "a shared secret of at least thirty-two bytes"
USER, SESSION = uuid4(), str(uuid4())
NOW = datetime(2026, 5, 24, 9, 30, tzinfo=UTC)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


@dataclass
class StoppedClock:
    """A clock that the test sets."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def pass_by(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@dataclass
class KeyServer:
    """Publishes keys, counts who asks, and can be down."""

    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"ec": EC_KEY, "rsa": RSA_KEY})
    others: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    asked: int = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)  # As a network does, it lets others run meanwhile.
        if self.down:
            raise httpx.ConnectError("down", request=request)
        published = [public_jwk(kid, key) for kid, key in self.keys.items()]
        return httpx.Response(200, json={"keys": [*self.others, *published]})

    def verifier(self, clock: StoppedClock, hs256_secret: str | None = None) -> AccessTokenVerifier:
        return AccessTokenVerifier(
            issuer=ISSUER,
            jwks_url=f"{ISSUER}/.well-known/jwks.json",
            hs256_secret=hs256_secret,
            http=httpx.AsyncClient(transport=httpx.MockTransport(self.answer)),
            clock=clock,
        )


def public_jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": kid, "use": "sig"}


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def claims(**changes: Any) -> dict[str, Any]:
    """Those of a good token; a change to None leaves a claim out."""
    all_claims = {
        "iss": ISSUER,
        "sub": str(USER),
        "aud": "authenticated",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
        "email": "asha@example.org",
        "role": "authenticated",
        "session_id": SESSION,
        "is_anonymous": False,
        "user_metadata": {"name": "Asha"},
        **changes,
    }
    return {name: value for name, value in all_claims.items() if value is not None}


Signer = Callable[[bytes], bytes]


def by_key(key: PrivateKey) -> Signer:
    if isinstance(key, rsa.RSAPrivateKey):
        rs256 = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        return lambda content: rs256.sign(content, key)
    es256 = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    return lambda content: es256.sign(content, key)


def by_secret(secret: bytes) -> Signer:
    return lambda content: hmac.digest(secret, content, hashlib.sha256)


BY_EC_KEY = by_key(EC_KEY)


def token(payload: dict[str, Any] | None = None, sign: Signer = BY_EC_KEY, **header: Any) -> str:
    """Put together by hand, as no library makes what attackers send. None leaves a member out."""
    members = {"alg": "ES256", "typ": "JWT", "kid": "ec", **header}
    given = {name: value for name, value in members.items() if value is not None}
    parts = [json.dumps(part).encode() for part in (given, payload if payload is not None else claims())]
    content = b".".join(base64url_encode(part) for part in parts)
    return b".".join([content, base64url_encode(sign(content))]).decode()


def lifetime() -> dict[str, int]:
    return {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 3600}


def grant(**changes: Any) -> AttemptGrant:
    values: dict[str, Any] = {
        "attempt": AttemptRef(UUID(int=1), USER, AttemptScope(UUID(int=2))),
        "paper_id": UUID(int=3),
        "lease": 1,
        "deadline_at": NOW + timedelta(hours=2),
        **changes,
    }
    return AttemptGrant(**values)
