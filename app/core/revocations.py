"""Revoked access tokens, held in the memory of each process (docs/decisions/0004)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SessionCutoff:
    """Revokes all sessions of a person that began before a moment, except one."""

    issued_before: datetime
    except_session_id: str | None
    expires_at: datetime


class Revocations:
    """The revocations that this process knows; `services/auth` reads them from the database."""

    def __init__(self) -> None:
        self._sessions: dict[str, datetime] = {}
        self._cutoffs: dict[UUID, list[SessionCutoff]] = {}
        self.is_loaded = False
        """Whether the revocations were read from the database once; before that no token can be accepted."""
        self.changes = 0
        """How many times all sessions of a person were ended, as a ban does."""

    def cover(self, user_id: UUID, session_id: str, signed_in_at: datetime) -> bool:
        """Whether a token is revoked: its session was ended, or began before all of the person's were."""
        return session_id in self._sessions or any(
            signed_in_at < cutoff.issued_before and session_id != cutoff.except_session_id
            for cutoff in self._cutoffs.get(user_id, ())
        )

    def end_session(self, session_id: str, expires_at: datetime) -> None:
        """Revoke all tokens of a session; `expires_at` is when the last of them expires."""
        self._sessions[session_id] = max(expires_at, self._sessions.get(session_id, expires_at))

    def end_tokens(self, user_id: UUID, cutoff: SessionCutoff) -> None:
        """Revoke the sessions of a person that a cutoff names. Calling it again is harmless."""
        cutoffs = self._cutoffs.setdefault(user_id, [])
        if cutoff not in cutoffs:
            cutoffs.append(cutoff)
            self.changes += 1

    def delete_expired(self, now: datetime) -> None:
        """Drop what no unexpired token can need."""
        self._sessions = {session: until for session, until in self._sessions.items() if until > now}
        kept = {
            user_id: [cutoff for cutoff in cutoffs if cutoff.expires_at > now]
            for user_id, cutoffs in self._cutoffs.items()
        }
        self._cutoffs = {user_id: cutoffs for user_id, cutoffs in kept.items() if cutoffs}
