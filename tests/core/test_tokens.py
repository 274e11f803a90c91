"""Access tokens and attempt tokens: what is accepted, and every way in which one is refused."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from jwt.utils import base64url_encode

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.tokens import (
    AccessTokenVerifier,
    AttemptTokens,
    TokenRejected,
    is_attempt_token,
)
from tests.core.forged_tokens import (
    EC_KEY,
    ISSUER,
    NOW,
    OTHER_EC_KEY,
    RSA_KEY,
    SECRET,
    SESSION,
    USER,
    KeyServer,
    PrivateKey,
    StoppedClock,
    by_key,
    by_secret,
    claims,
    grant,
    lifetime,
    public_jwk,
    public_pem,
    token,
)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def key_server() -> KeyServer:
    return KeyServer()


@pytest.fixture
def verifier(key_server: KeyServer, clock: StoppedClock) -> AccessTokenVerifier:
    return key_server.verifier(clock)


@pytest.mark.anyio
class TestVerify:
    async def test_a_token_that_is_remembered_expires_and_ends_with_its_key(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        start = int(NOW.timestamp())
        short, long = [token(claims(exp=start + hours * 3600), by_key(EC_KEY), kid="ec") for hours in (1, 3)]
        for each in (short, long, long):
            assert (await verifier.verify(each)).user_id == USER
        clock.pass_by(hours=2)
        with pytest.raises(TokenRejected, match="expired"):
            await verifier.verify(short)
        assert await verifier.verify(long) == await verifier.verify(long)
        key_server.keys["ec"] = OTHER_EC_KEY
        clock.pass_by(minutes=11)
        with pytest.raises(TokenRejected):
            await verifier.verify(long)

    @pytest.mark.parametrize(
        ("key", "algorithm", "kid"), [(EC_KEY, "ES256", "ec"), (RSA_KEY, "RS256", "rsa")]
    )
    async def test_reads_a_token_of_a_public_key(
        self, verifier: AccessTokenVerifier, key: PrivateKey, algorithm: str, kid: str
    ) -> None:
        found = await verifier.verify(token(sign=by_key(key), alg=algorithm, kid=kid))
        assert (found.user_id, found.session_id) == (USER, SESSION)
        assert (found.email, found.name) == ("asha@example.org", "Asha")
        assert (found.issued_at, found.expires_at) == (NOW, NOW + timedelta(hours=1))

    @pytest.mark.parametrize("kid", [None, "legacy"])
    async def test_reads_a_token_of_the_shared_secret(
        self, key_server: KeyServer, clock: StoppedClock, kid: str | None
    ) -> None:
        legacy = token(sign=by_secret(SECRET.encode()), alg="HS256", kid=kid)
        assert (await key_server.verifier(clock, SECRET).verify(legacy)).user_id == USER

    @pytest.mark.parametrize("name", ["exp", "iat", "sub", "aud", "iss", "session_id"])
    async def test_requires_each_claim(self, verifier: AccessTokenVerifier, name: str) -> None:
        with pytest.raises(TokenRejected):
            await verifier.verify(token(claims(**{name: None})))

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "https://other.example.org/auth/v1"},
            {"aud": "anon"},
            {"aud": ["anon", "service_role"]},
            {"sub": "not-an-id"},
            {"sub": 7},
            {"session_id": ""},
            {"session_id": 7},
            {"is_anonymous": True},
            {"exp": "soon"},
            {"exp": 1e30},
            {"exp": float("nan")},
            {"iat": []},
            {"nbf": int(NOW.timestamp()) + 60},
        ],
        ids=str,
    )
    async def test_refuses_other_values(self, verifier: AccessTokenVerifier, changes: dict[str, Any]) -> None:
        with pytest.raises(TokenRejected):
            await verifier.verify(token(claims(**changes)))

    @pytest.mark.parametrize(
        ("seconds", "valid"), [(-11, False), (-10, True), (0, True), (3609, True), (3610, False)]
    )
    async def test_allows_clocks_to_differ_a_little(
        self, verifier: AccessTokenVerifier, clock: StoppedClock, seconds: int, valid: bool
    ) -> None:
        clock.pass_by(seconds=seconds)
        if valid:
            assert (await verifier.verify(token())).user_id == USER
        else:
            with pytest.raises(TokenRejected):
                await verifier.verify(token())

    @pytest.mark.parametrize("metadata", [None, "Asha", {"name": 7}, {}])
    async def test_takes_nothing_else_for_a_name(
        self, verifier: AccessTokenVerifier, metadata: object
    ) -> None:
        assert (await verifier.verify(token(claims(user_metadata=metadata)))).name is None

    @pytest.mark.parametrize(
        ("amr", "ago"),
        [
            ([{"method": "password", "timestamp": int(NOW.timestamp()) - 7200}], 7200),
            ([{"timestamp": int(NOW.timestamp())}, {"timestamp": int(NOW.timestamp()) - 60}], 60),
            (["password"], 0),
            (None, 0),
            ("password", 0),
            ([{"timestamp": "yesterday"}, {"timestamp": -1}, {"timestamp": 10**30}, {}], 0),
        ],
    )
    async def test_knows_when_the_session_began(
        self, verifier: AccessTokenVerifier, amr: object, ago: int
    ) -> None:
        found = await verifier.verify(token(claims(amr=amr)))
        assert found.signed_in_at == NOW - timedelta(seconds=ago)

    @pytest.mark.parametrize("text", ["", "x", "a.b.c", "....", "\ud800", "é.é.é", "e30.e30.", "W10.e30.x"])
    async def test_refuses_what_is_no_token(self, verifier: AccessTokenVerifier, text: str) -> None:
        with pytest.raises(TokenRejected):
            await verifier.verify(text)


@pytest.mark.anyio
class TestAttacks:
    """Each with and without a shared secret configured."""

    @pytest.fixture(params=[None, SECRET], ids=["asymmetric", "with-shared-secret"])
    def verifier(
        self, key_server: KeyServer, clock: StoppedClock, request: pytest.FixtureRequest
    ) -> AccessTokenVerifier:
        return key_server.verifier(clock, request.param)

    @pytest.mark.parametrize(
        "attack",
        [
            pytest.param(token(sign=lambda _: b"", alg="none", kid=None), id="no algorithm"),
            pytest.param(token(sign=lambda _: b"", alg="None"), id="no algorithm, capitalised"),
            pytest.param(token(sign=lambda _: b""), id="no signature"),
            pytest.param(
                token(sign=by_secret(public_pem(EC_KEY)), alg="HS256"), id="public key as shared secret"
            ),
            pytest.param(
                token(sign=by_secret(json.dumps(public_jwk("ec", EC_KEY)).encode()), alg="HS256"),
                id="JWK as shared secret",
            ),
            pytest.param(token(sign=by_secret(b""), alg="HS256", kid=None), id="empty shared secret"),
            pytest.param(token(sign=by_secret(b"None"), alg="HS256", kid=None), id="None as shared secret"),
            pytest.param(token(sign=by_secret(SECRET.encode()), alg="HS512", kid=None), id="another HMAC"),
            pytest.param(token(sign=by_key(OTHER_EC_KEY)), id="another key under a known id"),
            pytest.param(token(sign=by_key(OTHER_EC_KEY), kid="other"), id="unknown key"),
            pytest.param(token(kid=None), id="no key id"),
            pytest.param(token(kid=["ec"]), id="key id of another type"),
            pytest.param(token(alg=["ES256"]), id="list of algorithms"),
            pytest.param(token(alg={"ES256": True}), id="object of algorithms"),
            pytest.param(token(kid="rsa"), id="key of another kind"),
            pytest.param(token(sign=by_key(RSA_KEY), kid="rsa"), id="algorithm of another key"),
            pytest.param(
                token(sign=by_key(OTHER_EC_KEY), kid="x", jwk=public_jwk("x", OTHER_EC_KEY)),
                id="key in the header",
            ),
            pytest.param(
                token(sign=by_key(OTHER_EC_KEY), kid="x", jku="https://evil.example.org"),
                id="address of keys in the header",
            ),
            pytest.param(token(crit=["exp"]), id="critical extension"),
            pytest.param(token(typ="attempt+jwt"), id="another type"),
        ],
    )
    async def test_by_forged_tokens_fail(self, verifier: AccessTokenVerifier, attack: str) -> None:
        with pytest.raises(TokenRejected):
            await verifier.verify(attack)

    async def test_by_changed_claims_fail(self, verifier: AccessTokenVerifier) -> None:
        header, _, signature = token().split(".")
        payload = base64url_encode(json.dumps(claims(sub=str(uuid4()))).encode()).decode()
        with pytest.raises(TokenRejected):
            await verifier.verify(f"{header}.{payload}.{signature}")

    @pytest.mark.parametrize("role", ["anon", "service_role"])
    async def test_by_legacy_api_keys_fail(self, verifier: AccessTokenVerifier, role: str) -> None:
        """They are signed with the very secret of legacy access tokens."""
        payload = {"iss": ISSUER, "ref": "project", "role": role, **lifetime()}
        with pytest.raises(TokenRejected):
            await verifier.verify(token(payload, by_secret(SECRET.encode()), alg="HS256", kid=None))

    async def test_by_attempt_tokens_fail(self, verifier: AccessTokenVerifier, clock: StoppedClock) -> None:
        with pytest.raises(TokenRejected):
            await verifier.verify(AttemptTokens(SECRET, clock).issue(grant()))

    async def test_by_a_published_symmetric_key_fail(
        self, verifier: AccessTokenVerifier, key_server: KeyServer
    ) -> None:
        key_server.others = [{"kty": "oct", "kid": "oct", "k": "cHVibGlj", "alg": "HS256"}]
        assert (await verifier.verify(token())).user_id == USER
        for algorithm in ("HS256", "ES256"):
            with pytest.raises(TokenRejected):
                await verifier.verify(token(sign=by_secret(b"public"), alg=algorithm, kid="oct"))


AT_AN_EXAM_PAPER = AttemptRef(UUID(int=1), USER, AttemptScope(UUID(int=2), UUID(int=4)))


class TestAttemptTokens:
    @pytest.fixture
    def tokens(self, clock: StoppedClock) -> AttemptTokens:
        return AttemptTokens(SECRET, clock)

    @pytest.mark.parametrize(
        "changes",
        [{}, {"attempt": AT_AN_EXAM_PAPER}, {"lease": 17}],
        ids=["of-a-test", "of-an-exam-paper", "of-a-later-lease"],
    )
    def test_grant_what_they_were_issued_for(
        self, tokens: AttemptTokens, clock: StoppedClock, changes: dict[str, Any]
    ) -> None:
        issued = tokens.issue(grant(**changes))
        assert AttemptTokens(SECRET, clock).read(issued) == grant(**changes)
        assert tokens.read(issued) == grant(**changes)

    def test_are_not_verified_by_the_process_that_issued_them(
        self, tokens: AttemptTokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issued = tokens.issue(grant())
        monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("verified"))
        assert tokens.read(issued) == grant()

    def test_grant_the_same_from_memory_if_the_deadline_has_fractions_of_a_second(
        self, tokens: AttemptTokens, clock: StoppedClock
    ) -> None:
        issued = tokens.issue(grant(deadline_at=grant().deadline_at + timedelta(microseconds=999_999)))
        assert tokens.read(issued) == AttemptTokens(SECRET, clock).read(issued) == grant()

    def test_outlive_the_deadline_by_a_day(self, tokens: AttemptTokens, clock: StoppedClock) -> None:
        issued = tokens.issue(grant())
        others = AttemptTokens(SECRET, clock)
        clock.time = grant().deadline_at + timedelta(hours=24, seconds=-1)
        assert tokens.read(issued) == grant()
        clock.pass_by(seconds=1)
        for each in (tokens, others):
            with pytest.raises(TokenRejected):
                each.read(issued)

    @pytest.mark.parametrize(
        ("typ", "algorithm"), [("JWT", "HS256"), (None, "HS256"), ("attempt+jwt", "none")]
    )
    def test_are_refused_under_another_name_or_algorithm(
        self, tokens: AttemptTokens, typ: str | None, algorithm: str
    ) -> None:
        payload = jwt.decode(tokens.issue(grant()), options={"verify_signature": False})
        key = tokens._key
        assert (
            tokens.read(token(payload, by_secret(key), alg="HS256", kid=None, typ="attempt+jwt")) == grant()
        )
        with pytest.raises(TokenRejected):
            tokens.read(token(payload, by_secret(key), alg=algorithm, kid=None, typ=typ))

    def test_are_refused_from_another_secret(self, tokens: AttemptTokens, clock: StoppedClock) -> None:
        with pytest.raises(TokenRejected):
            tokens.read(AttemptTokens("another secret", clock).issue(grant()))

    def test_are_not_signed_with_the_secret_itself(self, tokens: AttemptTokens) -> None:
        """Whoever learns one derived key, or signs other tokens with the secret, has no attempt token."""
        payload = jwt.decode(tokens.issue(grant()), options={"verify_signature": False})
        with pytest.raises(TokenRejected):
            tokens.read(token(payload, by_secret(SECRET.encode()), alg="HS256", kid=None, typ="attempt+jwt"))

    @pytest.mark.parametrize("name", ["sub", "attempt", "test", "paper", "lease", "exp", "iss"])
    def test_need_each_claim(self, tokens: AttemptTokens, name: str) -> None:
        payload = jwt.decode(tokens.issue(grant()), options={"verify_signature": False})
        del payload[name]
        with pytest.raises(TokenRejected):
            tokens.read(token(payload, by_secret(tokens._key), alg="HS256", kid=None, typ="attempt+jwt"))

    @pytest.mark.parametrize("rest", ["", ".", "..", "...", ".e30", ".e30.", ".e30.x", ".e30.ü", ".\ud800.x"])
    def test_are_refused_if_they_are_malformed(self, tokens: AttemptTokens, rest: str) -> None:
        header, payload, _ = tokens.issue(grant()).split(".")
        for malformed in (header + rest, f"{header}.{payload}{rest}"):
            with pytest.raises(TokenRejected):
                tokens.read(malformed)

    def test_are_not_access_tokens(self, tokens: AttemptTokens) -> None:
        for access_token in (token(), token(sign=by_secret(SECRET.encode()), alg="HS256", kid=None)):
            with pytest.raises(TokenRejected):
                tokens.read(access_token)


class TestIsAttemptToken:
    def test_tells_the_kinds_apart(self, clock: StoppedClock) -> None:
        assert is_attempt_token(AttemptTokens(SECRET, clock).issue(grant()))
        assert not is_attempt_token(token())

    @pytest.mark.parametrize("text", ["", "x", "a.b.c", "\ud800", "W10.e30.x"])
    def test_takes_what_is_no_token_for_none(self, text: str) -> None:
        assert not is_attempt_token(text)
