"""The official Python client against our server."""

from collections.abc import AsyncIterator

import pytest
from supabase_auth import AsyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from tests.contract.conftest import PASSWORD, Project

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(project: Project) -> AsyncIterator[AsyncGoTrueClient]:
    headers = {"apikey": project.anon_key, "Authorization": f"Bearer {project.anon_key}"}
    async with AsyncGoTrueClient(
        url=f"{project.url}/auth/v1", headers=headers, auto_refresh_token=False
    ) as client:
        yield client


async def test_lives_a_whole_account(client: AsyncGoTrueClient, project: Project, email: str) -> None:
    signed_up = await client.sign_up(
        {"email": email, "password": PASSWORD, "options": {"data": {"name": "Asha"}}}
    )
    assert signed_up.session is not None
    assert signed_up.user is not None
    assert signed_up.user.user_metadata == {"name": "Asha"}

    signed_in = await client.sign_in_with_password({"email": email, "password": PASSWORD})
    assert signed_in.session is not None
    refreshed = await client.refresh_session()
    assert refreshed.session is not None
    assert refreshed.session.refresh_token != signed_in.session.refresh_token

    shown = await client.get_user()
    assert shown is not None
    assert shown.user.email == email
    assert shown.user.identities is not None
    claims = await client.get_claims()
    assert claims is not None
    assert claims["claims"]["sub"] == signed_up.user.id

    await client.reset_password_for_email(email)
    token = await project.recovery_token(email)
    recovered = await client.verify_otp({"type": "recovery", "token_hash": token})
    assert recovered.user is not None
    assert recovered.user.id == signed_up.user.id
    changed = await client.update_user({"password": "another password"})
    assert changed.user.email == email

    await client.sign_out()
    with pytest.raises(AuthApiError) as refusal:
        await client.refresh_session(refreshed.session.refresh_token)
    assert str(refusal.value.code) == "refresh_token_not_found"  # The client's own list of codes lacks it.
    again = await client.sign_in_with_password({"email": email, "password": "another password"})
    assert again.session is not None


async def test_understands_our_refusals(client: AsyncGoTrueClient, email: str) -> None:
    with pytest.raises(AuthWeakPasswordError) as weak:
        await client.sign_up({"email": email, "password": "short"})
    assert weak.value.reasons == ["length"]
    with pytest.raises(AuthApiError) as wrong:
        await client.sign_in_with_password({"email": email, "password": "wrong password"})
    assert (wrong.value.status, wrong.value.code) == (400, "invalid_credentials")


async def test_administers_users(project: Project, email: str) -> None:
    headers = {"apikey": project.service_key, "Authorization": f"Bearer {project.service_key}"}
    async with AsyncGoTrueClient(url=f"{project.url}/auth/v1", headers=headers) as client:
        created = await client.admin.create_user(
            {"email": email, "password": PASSWORD, "email_confirm": True}
        )
        user_id = created.user.id
        assert (await client.admin.get_user_by_id(user_id)).user.email == email
        assert user_id in {user.id for user in await client.admin.list_users()}
        banned = await client.admin.update_user_by_id(user_id, {"ban_duration": "1h"})
        assert banned.user.banned_until is not None
        await client.admin.delete_user(user_id)
        with pytest.raises(AuthApiError) as gone:
            await client.admin.get_user_by_id(user_id)
        assert gone.value.code == "user_not_found"
