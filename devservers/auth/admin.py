"""The admin API of the auth server: create, list, change, ban and delete users. Requires the service key."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from devservers.auth import errors, wire
from devservers.auth.accounts import confirmed, with_password
from devservers.auth.errors import validation_failed
from devservers.auth.passwords import Passwords, check_hash, check_strength
from devservers.auth.store import Database, User
from devservers.auth.tokens import fingerprint, new_one_time_token


@dataclass(frozen=True, slots=True)
class Admin:
    """The use cases of the admin API.

    Passwords must only have a length that GoTrue accepts. The backend, which alone calls this API, checks the
    password policy.
    """

    database: Database
    passwords: Passwords

    async def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a user. The body may give an id and a password hash, to import a user of another server."""
        email, user_id = wire.email(body), wire.text(body, "id")
        password_hash = await self._password_hash(body)
        async with self.database.transaction() as store:
            user = await store.add_user(
                email,
                password_hash,
                confirmed=bool(body.get("email_confirm")),
                user_id=wire.identifier(user_id) if user_id else None,
                user_metadata=wire.merged({}, wire.metadata(body, "user_metadata")),
                app_metadata=wire.merged({}, wire.metadata(body, "app_metadata")),
            )
            if user is None:
                raise errors.email_exists()
            if duration := wire.text(body, "ban_duration"):
                user = await store.save_user(replace(user, banned_until=wire.banned_until(duration)))
        return wire.user_json(user)

    async def get(self, user_id: UUID) -> dict[str, Any]:
        async with self.database.transaction() as store:
            user = await store.user(user_id)
        if user is None:
            raise errors.user_not_found()
        return wire.user_json(user)

    async def list(self, *, page: int, per_page: int, part: str) -> tuple[dict[str, Any], int]:
        """A page of the users whose address has this part."""
        async with self.database.transaction() as store:
            users, total = await store.users(limit=per_page, offset=(page - 1) * per_page, part=part.lower())
        return {"users": [wire.user_json(user) for user in users], "aud": "authenticated"}, total

    async def update(self, user_id: UUID, body: Mapping[str, Any]) -> dict[str, Any]:
        password_hash = await self._password_hash(body)
        async with self.database.transaction() as store:
            user = await store.lock_user(user_id)
            if user is None:
                raise errors.user_not_found()
            if password_hash:
                user = await with_password(store, user, password_hash, keep_session=None)
            changed = _changed(user, body)
            if changed.email != user.email:
                # The links in mails to the old address become invalid.
                await store.clear_one_time_tokens(user_id)
            user = await store.save_user(changed)
        return wire.user_json(user)

    async def delete(self, user_id: UUID, body: Mapping[str, Any]) -> dict[str, Any]:
        if body.get("should_soft_delete"):
            raise validation_failed("Soft deletion is not supported by this server")
        async with self.database.transaction() as store:
            if not await store.delete_user(user_id):
                raise errors.user_not_found()
        return {}

    async def generate_link(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A one-time token to set a password, without a mail. It replaces the user's token of before."""
        if wire.text(body, "type") != "recovery":
            raise validation_failed("Only links of type recovery are supported")
        token = new_one_time_token()
        async with self.database.transaction() as store:
            known = await store.user_by_email(wire.email(body))
            user = await store.lock_user(known.id) if known else None
            if user is None:
                raise errors.user_not_found()
            user = await store.save_user(replace(user, recovery_sent_at=datetime.now(UTC)))
            await store.put_one_time_token(user.id, "recovery", fingerprint(token))
        link = {"hashed_token": token, "email_otp": token, "verification_type": "recovery"}
        return {**wire.user_json(user), **link}

    async def _password_hash(self, body: Mapping[str, Any]) -> str | None:
        password, password_hash = wire.text(body, "password"), wire.text(body, "password_hash")
        if password and password_hash:
            raise validation_failed("Only a password or a password hash should be provided")
        if password_hash:
            return check_hash(password_hash)
        if not password:
            return None
        check_strength(password)
        return await self.passwords.hash(password)


def _changed(user: User, body: Mapping[str, Any]) -> User:
    """The user with the changes that the body requests, except for the password."""
    if body.get("email") is not None:
        user = replace(user, email=wire.email(body))
    if body.get("email_confirm"):
        user = confirmed(user)
    if duration := wire.text(body, "ban_duration"):
        user = replace(user, banned_until=wire.banned_until(duration))
    return replace(
        user,
        user_metadata=wire.merged(user.user_metadata, wire.metadata(body, "user_metadata")),
        app_metadata=wire.merged(user.app_metadata, wire.metadata(body, "app_metadata")),
    )
