"""Bearer tokens: Supabase's access tokens (docs/decisions/0004) and attempt tokens (docs/decisions/0025)."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import jwt

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.clock import Clock

_AUDIENCE = "authenticated"
_REQUIRED_CLAIMS = ["exp", "iat", "sub", "aud", "iss", "session_id"]
_LEEWAY = timedelta(seconds=10)
_KEYS_MAX_AGE = timedelta(minutes=10)
_KEYS_RETRY = timedelta(seconds=30)
_FIRST_KEYS_RETRY = timedelta(seconds=1)
_FETCH_TIMEOUT = 3.0

_ATTEMPT_TYPE = "attempt+jwt"
_ATTEMPT_ISSUER = "ias"
_ATTEMPT_LIFETIME_AFTER_DEADLINE = timedelta(hours=24)
_ATTEMPT_KEY_LABEL = b"ias attempt tokens v1"
_REMEMBERED_TOKENS = 20_000
"""About 1.3 KB each."""
_REMEMBERED_LOGINS = 10_000
"""About 1.5 KB each."""


class TokenRejected(Exception):
    """The token is not accepted. The message says why and is for logs."""


class KeysUnavailable(Exception):
    """No signing key has been fetched yet, so that no token can be verified."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The claims of an access token. Roles are not read from it: they come from memberships."""

    user_id: UUID
    session_id: str
    email: str
    """The address of the account. A change is here once it has been confirmed by mail."""
    is_email_verified: bool
    """False only if the auth server says that nobody has confirmed the address."""
    name: str | None
    issued_at: datetime
    signed_in_at: datetime
    """When the session started. A refresh creates a newer token of the same session."""
    expires_at: datetime


class SigningKeys:
    """A cache of the auth server's public keys. One caller fetches them for all, and an outage keeps them."""

    def __init__(self, jwks_url: str, http: httpx.AsyncClient, clock: Clock) -> None:
        self._url = jwks_url
        self._http = http
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = datetime.min.replace(tzinfo=UTC)
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return a key or None. Fetches the keys if they are old or, at a limited rate, if it is unknown."""
        if not self._known(key_id):
            async with self._fetching:
                # Another caller may have fetched the keys while this one waited for the lock.
                if not self._known(key_id) and self._may_try():
                    await self._fetch()
        if not self._keys:
            raise KeysUnavailable(f"No signing keys have been fetched from {self._url}")
        return self._keys.get(key_id)

    def _known(self, key_id: str) -> bool:
        return key_id in self._keys and self._clock.now() - self._fetched_at < _KEYS_MAX_AGE

    def _may_try(self) -> bool:
        pause = _KEYS_RETRY if self._keys else _FIRST_KEYS_RETRY
        return self._clock.now() - self._tried_at >= pause

    async def _fetch(self) -> None:
        self._tried_at = self._clock.now()
        try:
            response = await self._http.get(self._url, timeout=_FETCH_TIMEOUT)
            response.raise_for_status()
            self._keys = _asymmetric_keys(response.json())
        except (httpx.HTTPError, ValueError, TypeError, KeyError, jwt.PyJWTError):
            return
        self._fetched_at = self._tried_at


def _asymmetric_keys(jwks: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """The ES256 and RS256 keys of a JWKS document. Others, such as shared secrets, are ignored."""
    algorithms = {"EC": "ES256", "RSA": "RS256"}
    return {
        key["kid"]: jwt.PyJWK(key, algorithms[key["kty"]])
        for key in jwks["keys"]
        if key.get("kid") and key.get("kty") in algorithms and key.get("use", "sig") == "sig"
    }


@dataclass(frozen=True, slots=True)
class _VerifiedLogin:
    """What is remembered of an access token."""

    header: Mapping[str, Any]
    key: jwt.PyJWK | str
    """The key that verified the signature."""
    claims: AccessClaims
    not_before: datetime


class AccessTokenVerifier:
    """Verifies access tokens with the auth server's public keys or with a shared secret, if one is set."""

    def __init__(
        self,
        *,
        issuer: str,
        jwks_url: str,
        hs256_secret: str | None,
        http: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._hs256_secret = hs256_secret
        self._keys = SigningKeys(jwks_url, http, clock)
        self._clock = clock
        self._verified: OrderedDict[bytes, _VerifiedLogin] = OrderedDict()
        """By the digests of the tokens."""

    async def verify(self, token: str) -> AccessClaims:
        """Return the claims of a valid token. Raises TokenRejected, or KeysUnavailable without any keys.

        A signature that was verified is remembered as long as its key is the current one of its id.
        """
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(digest)
        header = _header(token) if known is None else known.header
        key, algorithm = await self._key_for(header)
        if known is None or known.key is not key:
            claims = self._read(token, key, algorithm)
            known = _VerifiedLogin(header, key, _access_claims(claims), _not_before(claims))
            self._verified[digest] = known
            if len(self._verified) > _REMEMBERED_LOGINS:
                self._verified.popitem(last=False)
        self._check_times(known)
        return known.claims

    def _read(self, token: str, key: jwt.PyJWK | str, algorithm: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=_AUDIENCE,
                issuer=self._issuer,
                # Times are checked below, with the application's clock.
                options={
                    "require": _REQUIRED_CLAIMS,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRejected(str(error)) from error
        if claims.get("is_anonymous"):
            raise TokenRejected("The token belongs to an anonymous user")
        return claims

    async def _key_for(self, header: Mapping[str, Any]) -> tuple[jwt.PyJWK | str, str]:
        """The key and its algorithm. The header selects the key, but not the algorithm of a key."""
        if header.get("typ", "JWT") != "JWT":
            raise TokenRejected("The token has another type")
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._hs256_secret:
            return self._hs256_secret, algorithm
        if algorithm not in ("ES256", "RS256") or not isinstance(key_id, str):
            raise TokenRejected("The token has no accepted algorithm or no key id")
        key = await self._keys.find(key_id)
        if key is None or key.algorithm_name != algorithm:
            raise TokenRejected("The token was signed by an unknown key")
        return key, algorithm

    def _check_times(self, login: _VerifiedLogin) -> None:
        now = self._clock.now()
        if login.claims.expires_at + _LEEWAY <= now:
            raise TokenRejected("The token has expired")
        if login.not_before - _LEEWAY > now:
            raise TokenRejected("The token is not valid yet")


def _access_claims(claims: Mapping[str, Any]) -> AccessClaims:
    issued_at = _instant(claims, "iat")
    metadata = claims.get("user_metadata")
    about = metadata if isinstance(metadata, dict) else {}
    name = about.get("name")
    return AccessClaims(
        user_id=_uuid(claims, "sub"),
        session_id=_text(claims, "session_id"),
        email=str(claims.get("email") or ""),
        is_email_verified=about.get("email_verified") is not False,
        name=name if isinstance(name, str) else None,
        issued_at=issued_at,
        signed_in_at=_signed_in_at(claims, issued_at),
        expires_at=_instant(claims, "exp"),
    )


def _not_before(claims: Mapping[str, Any]) -> datetime:
    """When an access token begins to be valid."""
    issued_at = _instant(claims, "iat")
    return max(issued_at, _instant(claims, "nbf")) if "nbf" in claims else issued_at


@dataclass(frozen=True, slots=True)
class AttemptGrant:
    """The content of an attempt token: an attempt, a lease, and the deadline when the token was issued."""

    attempt: AttemptRef
    paper_id: UUID
    lease: int
    deadline_at: datetime


class AttemptTokens:
    """Signs and verifies attempt tokens, with a key that is derived for this purpose."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._key = hmac.digest(secret.encode(), _ATTEMPT_KEY_LABEL, "sha256")
        self._clock = clock
        self._verified: OrderedDict[str, AttemptGrant] = OrderedDict()

    def issue(self, grant: AttemptGrant) -> str:
        """Create a token. It expires a day after the deadline: the stored deadline decides what counts.

        It is remembered as verified: the candidate will send it soon, most likely to this process.
        """
        scope = grant.attempt.scope
        deadline_at = grant.deadline_at.replace(microsecond=0)  # A token has whole seconds.
        claims = {
            "iss": _ATTEMPT_ISSUER,
            "sub": str(grant.attempt.user_id),
            "attempt": str(grant.attempt.id),
            "test": str(scope.test_id),
            "exam_paper": str(scope.exam_paper_id) if scope.exam_paper_id else None,
            "paper": str(grant.paper_id),
            "lease": grant.lease,
            "iat": int(self._clock.now().timestamp()),
            "exp": int((deadline_at + _ATTEMPT_LIFETIME_AFTER_DEADLINE).timestamp()),
        }
        token = jwt.encode(claims, self._key, "HS256", headers={"typ": _ATTEMPT_TYPE})
        self._remember(token, replace(grant, deadline_at=deadline_at))
        return token

    def read(self, token: str) -> AttemptGrant:
        """Return the content of a token. Raises TokenRejected if it is not valid or has expired.

        A token that was verified is remembered: verifying takes 50 times as long as finding it in memory.
        """
        if (grant := self._verified.get(token)) is None:
            grant = self._verify(token)
            self._remember(token, grant)
        elif grant.deadline_at + _ATTEMPT_LIFETIME_AFTER_DEADLINE <= self._clock.now():
            raise TokenRejected("The token has expired")
        return grant

    def _remember(self, token: str, grant: AttemptGrant) -> None:
        self._verified[token] = grant
        if len(self._verified) > _REMEMBERED_TOKENS:
            self._verified.popitem(last=False)

    def _verify(self, token: str) -> AttemptGrant:
        if not is_attempt_token(token):
            raise TokenRejected("The token has another type")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                issuer=_ATTEMPT_ISSUER,
                options={"require": ["exp", "lease"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRejected(str(error)) from error
        expires_at = _instant(claims, "exp")
        if expires_at <= self._clock.now():
            raise TokenRejected("The token has expired")
        exam_paper_id = _uuid(claims, "exam_paper") if claims.get("exam_paper") else None
        scope = AttemptScope(_uuid(claims, "test"), exam_paper_id)
        return AttemptGrant(
            attempt=AttemptRef(_uuid(claims, "attempt"), _uuid(claims, "sub"), scope),
            paper_id=_uuid(claims, "paper"),
            lease=int(claims["lease"]),
            deadline_at=expires_at - _ATTEMPT_LIFETIME_AFTER_DEADLINE,
        )


def is_attempt_token(token: str) -> bool:
    """Whether the header says that this is an attempt token. It only selects the verifier."""
    try:
        return _header(token).get("typ") == _ATTEMPT_TYPE
    except TokenRejected:
        return False


def _header(token: str) -> Mapping[str, Any]:
    return _header_of(token.partition(".")[0])


@lru_cache(maxsize=100)
def _header_of(part: str) -> Mapping[str, Any]:
    """The header in the first part of a token. Most tokens have one of a few headers."""
    try:
        return jwt.get_unverified_header(f"{part}..")  # The other parts are read when they are verified.
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise TokenRejected(str(error)) from error


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(claims[name], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise TokenRejected(f"The claim {name} is not a time") from error


def _signed_in_at(claims: Mapping[str, Any], issued_at: datetime) -> datetime:
    """The time of the first authentication method in `amr`, or `issued_at` if there is none."""
    methods = claims.get("amr")
    entries = methods if isinstance(methods, list) else []
    times = [entry.get("timestamp") for entry in entries if isinstance(entry, dict)]
    known = [time for time in times if isinstance(time, int) and 0 < time <= issued_at.timestamp()]
    return datetime.fromtimestamp(min(known), UTC) if known else issued_at


def _uuid(claims: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(_text(claims, name))
    except ValueError as error:
        raise TokenRejected(f"The claim {name} is not an id") from error


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise TokenRejected(f"The claim {name} is missing")
    return value
