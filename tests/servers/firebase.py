"""A server that answers as Google's token endpoint and Firebase's HTTP v1 do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import Any

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devservers.network import free_port
from devservers.processes import wait_for
from tests.waiting import PATIENCE

PROJECT, EMAIL, KEY_ID = "ias-test", "push@ias-test.iam.gserviceaccount.com", "key-1"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@dataclass
class Answer:
    """An error as Firebase documents it."""

    status: int
    code: str
    message: str = ""
    error_code: str | None = None
    fields: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        details: list[dict[str, Any]] = []
        if self.error_code:
            details.append({"@type": FCM_ERROR, "errorCode": self.error_code})
        if self.fields:
            violations = [{"field": name, "description": "Invalid"} for name in self.fields]
            details.append({"@type": BAD_REQUEST, "fieldViolations": violations})
        error = {"code": self.status, "message": self.message, "status": self.code, "details": details}
        return JSONResponse({"error": error}, self.status, self.headers)


UNREGISTERED = Answer(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED")
NOT_A_TOKEN = Answer(
    400,
    "INVALID_ARGUMENT",
    "The registration token is not a valid FCM registration token",
    "INVALID_ARGUMENT",
)
BAD_MESSAGE = Answer(
    400,
    "INVALID_ARGUMENT",
    "Invalid value at 'message.data[0].value' (TYPE_STRING), 12",
    fields=("message.data[0].value",),
)
OTHER_PROJECT = Answer(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH")
TOO_MANY = Answer(429, "RESOURCE_EXHAUSTED", "Quota", "QUOTA_EXCEEDED", headers={"Retry-After": "90"})
DOWN = Answer(503, "UNAVAILABLE", "", "UNAVAILABLE", headers={"Retry-After": "120"})
BROKEN = Answer(500, "INTERNAL", "", "INTERNAL")


class Firebase:
    """What it was sent, and what it answers to whom."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.messages: list[dict[str, Any]] = []
        self.answers: dict[str, Answer] = {}
        self.tokens_issued = 0
        self.lifetime = 3600
        self.token_answer: Answer | None = None
        self.valid: set[str] = set()

    @property
    def account(self) -> str:
        """The service account's file."""
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": KEY_ID,
                "private_key": key,
                "client_email": EMAIL,
                "token_uri": f"{self.url}/token",
            }
        )

    def to(self, token: str) -> list[dict[str, Any]]:
        """The messages for a device."""
        return [message for message in self.messages if message["token"] == token]

    async def token(self, request: Request) -> Response:
        """Check the assertion as Google does, and give an access token for it."""
        if self.token_answer is not None:
            return self.token_answer.response()
        form = await request.form()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assertion = str(form["assertion"])
        assert jwt.get_unverified_header(assertion) == {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        options: Any = {"require": ["iss", "aud", "iat", "exp"], "verify_exp": False, "verify_iat": False}
        claims = jwt.decode(
            assertion,
            self._key.public_key(),
            algorithms=["RS256"],
            audience=f"{self.url}/token",
            options=options,
        )
        assert (claims["iss"], claims["scope"]) == (EMAIL, SCOPE)
        assert claims["exp"] - claims["iat"] <= 3600
        self.tokens_issued += 1
        access = f"ya29.{self.tokens_issued}"
        self.valid.add(access)
        return JSONResponse({"access_token": access, "expires_in": self.lifetime, "token_type": "Bearer"})

    async def send(self, request: Request) -> Response:
        """Take a message, or answer as it was told to."""
        scheme, _, access = request.headers["Authorization"].partition(" ")
        if scheme != "Bearer" or access not in self.valid:
            return Answer(401, "UNAUTHENTICATED", "Invalid credentials").response()
        message = (await request.json())["message"]
        if (answer := self.answers.get(message["token"])) is not None:
            return answer.response()
        assert all(isinstance(value, str) for value in message["data"].values())
        self.messages.append(message)
        return JSONResponse({"name": f"projects/{PROJECT}/messages/{len(self.messages)}"})


@contextmanager
def serving_firebase() -> Iterator[Firebase]:
    """The server in a thread of its own."""
    firebase = Firebase()
    app = Starlette(
        routes=[
            Route("/token", firebase.token, methods=["POST"]),
            Route(f"/v1/projects/{PROJECT}/messages:send", firebase.send, methods=["POST"]),
        ]
    )
    port = int(firebase.url.rpartition(":")[2])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    assert wait_for(lambda: server.started, timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        # A private key is checked when it is loaded, which takes 50 ms: here at the first push of each test.
        patch.setattr("jwt.algorithms.load_pem_private_key", cache(load_pem_private_key))
        yield firebase
    server.should_exit = True
    thread.join(timeout=PATIENCE)
