"""Tokens of links in mails."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.tokens import AttemptGrant, AttemptTokens, TokenRejected
from app.core.unsubscribe import UnsubscribeTokens, Unsubscription

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
SECRET = "a secret of at least thirty-two characters"


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class TestUnsubscribeTokens:
    def test_it_says_who_and_what(self) -> None:
        tokens = UnsubscribeTokens(SECRET, Clock())
        wish = Unsubscription(uuid4(), "reminders")
        assert tokens.read(tokens.issue(wish)) == wish

    def test_it_is_good_for_a_year(self) -> None:
        clock = Clock()
        tokens = UnsubscribeTokens(SECRET, clock)
        token = tokens.issue(Unsubscription(uuid4(), "reminders"))
        clock.at = NOON + timedelta(days=365) - timedelta(seconds=1)
        tokens.read(token)
        clock.at += timedelta(seconds=1)
        with pytest.raises(TokenRejected, match="expired"):
            tokens.read(token)

    def test_a_changed_letter_or_another_secret_is_noticed(self) -> None:
        tokens = UnsubscribeTokens(SECRET, Clock())
        token = tokens.issue(Unsubscription(uuid4(), "reminders"))
        head, payload, signature = token.split(".")
        forged = (f"{head}.{payload}.{signature[:-4]}AAAA", f"{head}.{payload[:-2]}AA.{signature}")
        for each in (*forged, "", "x", "a.b.c", UnsubscribeTokens(SECRET + "!", Clock()).issue(_wish())):
            with pytest.raises(TokenRejected):
                tokens.read(each)

    def test_what_was_signed_for_another_purpose_is_none(self) -> None:
        """The secret itself is nobody's key, and attempt tokens have another."""
        grant = AttemptGrant(AttemptRef(uuid4(), uuid4(), AttemptScope(uuid4())), uuid4(), 1, NOON)
        claims = {"iss": "ias/unsubscribe", "sub": str(uuid4()), "topic": "reminders", "exp": 2**40}
        for token in (AttemptTokens(SECRET, Clock()).issue(grant), jwt.encode(claims, SECRET, "HS256")):
            with pytest.raises(TokenRejected):
                UnsubscribeTokens(SECRET, Clock()).read(token)

    def test_no_signature_is_no_signature(self) -> None:
        claims = {"iss": "ias/unsubscribe", "sub": str(uuid4()), "topic": "reminders", "exp": 2**40}
        with pytest.raises(TokenRejected):
            UnsubscribeTokens(SECRET, Clock()).read(jwt.encode(claims, "", "none"))


def _wish() -> Unsubscription:
    return Unsubscription(uuid4(), "reminders")
