"""Push messages to a server that answers as Firebase does."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.core.channels import DeadTarget, MessageRejected, NotNow, NotSent
from app.core.push import FcmPusher, PushMessage, ServiceAccount
from tests.servers import firebase as fcm

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
MESSAGE = PushMessage("Title", "शीर्षक", {"kind": "registered"}, "tag-1")


class Noon:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def server() -> Iterator[fcm.Firebase]:
    with fcm.serving_firebase() as firebase:
        yield firebase


@pytest.fixture
def firebase(server: fcm.Firebase) -> fcm.Firebase:
    server.messages.clear()
    server.answers.clear()
    server.tokens_issued, server.lifetime, server.token_answer = 0, 3600, None
    return server


@pytest.fixture
def clock() -> Noon:
    return Noon()


@pytest.fixture
async def pusher(firebase: fcm.Firebase, clock: Noon) -> AsyncIterator[FcmPusher]:
    async with httpx.AsyncClient() as http:
        yield FcmPusher(ServiceAccount.read(firebase.account), http, clock, firebase.url)


class TestSend:
    async def test_the_message_arrives_as_firebase_documents_it(
        self, pusher: FcmPusher, firebase: fcm.Firebase
    ) -> None:
        urgent = PushMessage(
            "T", "B", {"kind": "k"}, "tag-1", urgent=True, expires_at=NOON + timedelta(minutes=15)
        )
        await pusher.send("phone", urgent)
        assert firebase.messages == [
            {
                "token": "phone",
                "notification": {"title": "T", "body": "B"},
                "data": {"kind": "k"},
                "android": {"priority": "HIGH", "ttl": "900s", "notification": {"tag": "tag-1"}},
                "apns": {
                    "headers": {
                        "apns-priority": "10",
                        "apns-expiration": str(int(NOON.timestamp()) + 900),
                        "apns-collapse-id": "tag-1",
                    }
                },
                "webpush": {
                    "headers": {"TTL": "900", "Urgency": "high"},
                    "notification": {"tag": "tag-1"},
                },
            }
        ]

    async def test_what_can_wait_says_so(self, pusher: FcmPusher, firebase: fcm.Firebase) -> None:
        await pusher.send("phone", MESSAGE)
        (message,) = firebase.messages
        assert message["android"]["priority"] == "NORMAL"
        assert message["android"]["ttl"] == f"{28 * 24 * 3600}s"
        assert message["apns"]["headers"]["apns-priority"] == "5"

    @pytest.mark.parametrize(
        ("answer", "error", "retry_after"),
        [
            (fcm.UNREGISTERED, DeadTarget, None),
            (fcm.NOT_A_TOKEN, DeadTarget, None),
            (fcm.Answer(400, "INVALID_ARGUMENT", fields=("message.token",)), DeadTarget, None),
            (fcm.BAD_MESSAGE, MessageRejected, None),
            (fcm.OTHER_PROJECT, MessageRejected, None),
            (fcm.TOO_MANY, NotNow, timedelta(seconds=90)),
            (fcm.Answer(429, "RESOURCE_EXHAUSTED", "", "QUOTA_EXCEEDED"), NotNow, timedelta(minutes=1)),
            (fcm.DOWN, NotNow, timedelta(seconds=120)),
            (
                fcm.Answer(503, "", headers={"Retry-After": "Sun, 24 May 2026 12:00:45 GMT"}),
                NotNow,
                timedelta(seconds=45),
            ),
            (fcm.BROKEN, NotNow, None),
            (fcm.Answer(401, "UNAUTHENTICATED", "", "THIRD_PARTY_AUTH_ERROR"), NotNow, None),
        ],
    )
    async def test_what_an_error_means(
        self,
        pusher: FcmPusher,
        firebase: fcm.Firebase,
        answer: fcm.Answer,
        error: type[NotSent],
        retry_after: timedelta | None,
    ) -> None:
        firebase.answers["phone"] = answer
        with pytest.raises(NotSent) as raised:
            await pusher.send("phone", MESSAGE)
        assert type(raised.value) is error
        assert getattr(raised.value, "retry_after", None) == retry_after
        assert "phone" not in str(raised.value)

    async def test_an_address_that_is_not_firebase_condemns_no_device(
        self, firebase: fcm.Firebase, clock: Noon
    ) -> None:
        async with httpx.AsyncClient() as http:
            wrong = FcmPusher(ServiceAccount.read(firebase.account), http, clock, f"{firebase.url}/elsewhere")
            with pytest.raises(NotNow, match="404"):
                await wrong.send("phone", MESSAGE)

    async def test_a_server_that_is_not_there_is_asked_again(self, clock: Noon) -> None:
        account = ServiceAccount.read(fcm.Firebase().account)  # nobody serves it
        async with httpx.AsyncClient() as http:
            with pytest.raises(NotNow, match="ConnectError"):
                await FcmPusher(account, http, clock, "http://127.0.0.1:1").send("phone", MESSAGE)


class TestAccessToken:
    async def test_one_serves_until_it_expires(
        self, pusher: FcmPusher, firebase: fcm.Firebase, clock: Noon
    ) -> None:
        await pusher.send("phone", MESSAGE)
        clock.at += timedelta(seconds=3600 - 61)
        await pusher.send("phone", MESSAGE)
        assert firebase.tokens_issued == 1
        clock.at += timedelta(seconds=1)
        await pusher.send("phone", MESSAGE)
        assert firebase.tokens_issued == 2

    async def test_one_that_was_revoked_is_replaced_at_the_next_try(
        self, pusher: FcmPusher, firebase: fcm.Firebase
    ) -> None:
        await pusher.send("phone", MESSAGE)
        firebase.valid.clear()
        with pytest.raises(NotNow):
            await pusher.send("phone", MESSAGE)
        await pusher.send("phone", MESSAGE)
        assert len(firebase.messages) == 2

    async def test_without_one_nobodys_device_is_to_blame(
        self, pusher: FcmPusher, firebase: fcm.Firebase
    ) -> None:
        firebase.token_answer = fcm.Answer(400, "invalid_grant")
        with pytest.raises(NotNow, match="no access token: 400"):
            await pusher.send("phone", MESSAGE)


class TestServiceAccount:
    def test_it_may_be_a_file(self, firebase: fcm.Firebase, tmp_path: Path) -> None:
        file = tmp_path / "account.json"
        file.write_text(firebase.account)
        assert ServiceAccount.read(str(file)) == ServiceAccount.read(firebase.account)

    @pytest.mark.parametrize("given", ["{}", '{"project_id": "p"}', "{no json"])
    def test_what_is_none_is_refused_without_its_secrets(self, given: str) -> None:
        with pytest.raises(ValueError, match="FCM_SERVICE_ACCOUNT is neither the JSON key"):
            ServiceAccount.read(given)
