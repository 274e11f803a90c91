"""The adapter against a real server: whatever it relies on, ours and Supabase's must do alike."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import argon2
import httpx
import pytest

from app.core.supabase_auth import AuthUser, SignOutScope, SupabaseAuth
from app.core.supabase_errors import (
    AuthUnavailable,
    CredentialsRejected,
    EmailExists,
    InvalidOneTimeToken,
    InvalidRefreshToken,
    InvalidSession,
    PasswordRejected,
    SamePassword,
    UserNotFound,
)
from app.core.tokens import AccessTokenVerifier, TokenRejected
from tests.builders.auth_accounts import update_account
from tests.contract.conftest import PASSWORD, Project

pytestmark = pytest.mark.anyio


class TestSignUp:
    async def test_opens_a_session_that_our_verifier_accepts(
        self, auth: SupabaseAuth, verifier: AccessTokenVerifier, email: str, forget: Callable[[UUID], None]
    ) -> None:
        signed_up = await auth.sign_up(email, PASSWORD, "Asha", client_address="203.0.113.7")
        forget(signed_up.user_id)
        if signed_up.session is None:
            pytest.skip("this project confirms addresses")
        claims = await verifier.verify(signed_up.session.access_token)
        assert (claims.user_id, claims.email, claims.name) == (signed_up.user_id, email, "Asha")
        assert signed_up.user == signed_up.session.user
        assert signed_up.session.expires_in > 0

    async def test_of_a_taken_address(self, auth: SupabaseAuth, account: AuthUser) -> None:
        try:
            signed_up = await auth.sign_up(account.email.upper(), PASSWORD, "Ravi")
        except EmailExists:
            return
        # With confirmation on the server makes somebody up, and we must not believe it.
        assert signed_up.user is None
        assert signed_up.session is None
        assert signed_up.user_id != account.id

    async def test_with_a_weak_password(self, auth: SupabaseAuth, email: str) -> None:
        with pytest.raises(PasswordRejected) as refusal:
            await auth.sign_up(email, "short", "Asha")
        assert "length" in refusal.value.reasons


class TestSignIn:
    async def test_opens_a_session(
        self, auth: SupabaseAuth, verifier: AccessTokenVerifier, account: AuthUser
    ) -> None:
        session = await auth.sign_in(account.email.upper(), PASSWORD)
        assert (session.user.id, session.user.name) == (account.id, "Asha")
        claims = await verifier.verify(session.access_token)
        assert claims.user_id == account.id

    async def test_tells_nobody_apart_whom_it_refuses(self, auth: SupabaseAuth, account: AuthUser) -> None:
        with pytest.raises(CredentialsRejected) as wrong:
            await auth.sign_in(account.email, "wrong password")
        with pytest.raises(CredentialsRejected) as unknown:
            await auth.sign_in(f"un{account.email}", PASSWORD)
        assert str(wrong.value) == str(unknown.value)

    async def test_of_the_banned(self, auth: SupabaseAuth, account: AuthUser) -> None:
        session = await auth.sign_in(account.email, PASSWORD)
        banned = await auth.admin_ban(account.id)
        assert banned.banned_until is not None
        with pytest.raises(CredentialsRejected):
            await auth.sign_in(account.email, PASSWORD)
        with pytest.raises(InvalidRefreshToken):
            await auth.refresh(session.refresh_token)
        await auth.admin_ban(account.id, banned=False)
        await auth.sign_in(account.email, PASSWORD)


class TestRefresh:
    async def test_rotates_and_knows_the_parent(self, auth: SupabaseAuth, account: AuthUser) -> None:
        first = await auth.sign_in(account.email, PASSWORD)
        second = await auth.refresh(first.refresh_token)
        assert second.refresh_token != first.refresh_token
        again = await auth.refresh(first.refresh_token)
        assert again.refresh_token == second.refresh_token

    async def test_by_two_devices_at_once(self, auth: SupabaseAuth, account: AuthUser) -> None:
        session = await auth.sign_in(account.email, PASSWORD)
        one, other = await asyncio.gather(*(auth.refresh(session.refresh_token) for _ in range(2)))
        await auth.refresh(one.refresh_token)
        await auth.refresh(other.refresh_token)

    @pytest.mark.parametrize("token", ["", "unknown", "x" * 1000])
    async def test_by_an_unknown_token(self, auth: SupabaseAuth, token: str) -> None:
        with pytest.raises(InvalidRefreshToken):
            await auth.refresh(token)


class TestSignOut:
    @pytest.mark.parametrize(
        ("scope", "own_lives", "other_lives"),
        [("local", False, True), ("others", True, False), ("global", False, False)],
    )
    async def test_ends_the_sessions_of_its_scope(
        self, auth: SupabaseAuth, account: AuthUser, scope: SignOutScope, own_lives: bool, other_lives: bool
    ) -> None:
        own = await auth.sign_in(account.email, PASSWORD)
        other = await auth.sign_in(account.email, PASSWORD)
        await auth.sign_out(own.access_token, scope)
        for session, lives in ((own, own_lives), (other, other_lives)):
            if lives:
                await auth.refresh(session.refresh_token)
                continue
            with pytest.raises(InvalidRefreshToken):
                await auth.refresh(session.refresh_token)
            with pytest.raises(InvalidSession):
                await auth.get_user(session.access_token)

    async def test_again_is_no_error(self, auth: SupabaseAuth, account: AuthUser) -> None:
        session = await auth.sign_in(account.email, PASSWORD)
        await auth.sign_out(session.access_token)
        await auth.sign_out(session.access_token)

    async def test_with_a_token_that_is_none_is_no_error(self, auth: SupabaseAuth) -> None:
        await auth.sign_out("not.a.token")


class TestRecover:
    async def test_answers_alike_and_mails_only_to_who_has_an_account(
        self, auth: SupabaseAuth, account: AuthUser, project: Project
    ) -> None:
        unknown = f"un{account.email}"
        assert await project.answer("recover", unknown) == await project.answer("recover", account.email)
        await project.recovery_token(account.email)  # mails are sent in the order of the requests
        assert project.mails(unknown) == 0

    async def test_twice_at_once_is_no_error(
        self, auth: SupabaseAuth, account: AuthUser, project: Project
    ) -> None:
        """A project may refuse a second mail within a minute: the first one is valid then."""
        for _ in range(2):
            await auth.recover(account.email)
        session = await auth.verify("recovery", await project.recovery_token(account.email))
        assert session.user.id == account.id

    async def test_leads_to_a_new_password(
        self, auth: SupabaseAuth, account: AuthUser, project: Project
    ) -> None:
        before = await auth.sign_in(account.email, PASSWORD)
        await auth.recover(account.email)
        token = await project.recovery_token(account.email)
        session = await auth.verify("recovery", token)
        assert session.user.id == account.id
        with pytest.raises(SamePassword):
            await auth.update_user(session.access_token, password=PASSWORD)
        await auth.update_user(session.access_token, password="another password")
        await auth.sign_out(session.access_token, "global")
        with pytest.raises(InvalidRefreshToken):
            await auth.refresh(before.refresh_token)
        with pytest.raises(InvalidOneTimeToken):
            await auth.verify("recovery", token)
        await auth.sign_in(account.email, "another password")

    async def test_by_an_unknown_token(self, auth: SupabaseAuth) -> None:
        with pytest.raises(InvalidOneTimeToken):
            await auth.verify("recovery", "unknown")


class TestResend:
    async def test_answers_alike_and_mails_to_nobody_who_is_confirmed_or_unknown(
        self, auth: SupabaseAuth, account: AuthUser, project: Project
    ) -> None:
        unknown = f"un{account.email}"
        asked = [await project.answer("resend", email, type="signup") for email in (unknown, account.email)]
        assert asked[0] == asked[1]
        await auth.resend(account.email)
        await auth.recover(account.email)
        await project.recovery_token(account.email)  # mails are sent in the order of the requests
        assert (project.mails(unknown), project.mails(account.email)) == (0, 1)


class TestUser:
    async def test_reads_and_renames(self, auth: SupabaseAuth, account: AuthUser) -> None:
        session = await auth.sign_in(account.email, PASSWORD)
        assert (await auth.get_user(session.access_token)).email == account.email
        assert (await auth.update_user(session.access_token, name="Asha Rao")).name == "Asha Rao"
        assert (await auth.refresh(session.refresh_token)).user.name == "Asha Rao"

    async def test_is_nobody_without_a_user_s_token(self, auth: SupabaseAuth, project: Project) -> None:
        with pytest.raises(InvalidSession):
            await auth.get_user("not.a.token")
        with pytest.raises(InvalidSession):
            await auth.get_user(project.anon_key)


class TestAdmin:
    async def test_brings_accounts_with_id_and_hash(
        self, auth: SupabaseAuth, email: str, forget: Callable[[UUID], None]
    ) -> None:
        user_id = uuid4()
        password_hash = argon2.PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1).hash(PASSWORD)
        user = await auth.admin_create(email, password_hash=password_hash, user_id=user_id)
        forget(user.id)
        assert user.id == user_id
        assert (await auth.sign_in(email, PASSWORD)).user.id == user_id

    async def test_refuses_a_taken_address(self, auth: SupabaseAuth, account: AuthUser) -> None:
        with pytest.raises(EmailExists):
            await auth.admin_create(account.email, password=PASSWORD)

    async def test_changes_a_user(self, auth: SupabaseAuth, account: AuthUser) -> None:
        metadata = {"name": "Asha Rao"}
        await update_account(auth, account.id, user_metadata=metadata, password="another password")
        assert (await auth.admin_get(account.id)).name == "Asha Rao"
        await auth.sign_in(account.email, "another password")

    async def test_finds_an_invited_account_by_its_address_alone(
        self, auth: SupabaseAuth, email: str
    ) -> None:
        made = await auth.admin_create(email, name="Asha", is_invited=True)
        assert await auth.admin_find(email) == made
        assert made.is_invited
        assert await auth.admin_find(email[1:]) is None

    async def test_gives_a_token_that_sets_a_password(self, auth: SupabaseAuth, email: str) -> None:
        await auth.admin_create(email, is_invited=True)
        first, second = await auth.recovery_token(email), await auth.recovery_token(email)
        with pytest.raises(InvalidOneTimeToken):
            await auth.verify("recovery", first)
        session = await auth.verify("recovery", second)
        await auth.update_user(session.access_token, password=PASSWORD)
        assert (await auth.sign_in(email, PASSWORD)).user.email == email
        with pytest.raises(UserNotFound):
            await auth.recovery_token(f"nobody-{email}")

    async def test_deletes_a_user(self, auth: SupabaseAuth, email: str) -> None:
        user = await auth.admin_create(email, password=PASSWORD)
        await auth.admin_delete(user.id)
        for gone in (auth.admin_get(user.id), auth.admin_delete(user.id)):
            with pytest.raises(UserNotFound):
                await gone

    async def test_needs_the_right_keys(
        self, project: Project, http: httpx.AsyncClient, account: AuthUser
    ) -> None:
        stranger = SupabaseAuth(project.url, "sb_publishable_other", project.anon_key, http)
        with pytest.raises(AuthUnavailable):
            await stranger.sign_in(account.email, PASSWORD)
        with pytest.raises(AuthUnavailable):
            await stranger.admin_get(account.id)


class TestVerifier:
    async def test_takes_no_key_for_a_token(self, verifier: AccessTokenVerifier, project: Project) -> None:
        for key in (project.anon_key, project.service_key):
            with pytest.raises(TokenRejected):
                await verifier.verify(key)
