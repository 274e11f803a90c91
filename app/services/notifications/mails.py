"""Composes mails from a template for each kind and language, as HTML and as text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.mail import Handling
from app.core.unsubscribe import Unsubscription
from app.models import Kind, Notification, User
from app.services.components import Components
from app.services.notifications.kinds import RULES
from app.services.notifications.wording import (
    distance,
    greeting_name,
    in_language,
    language_of,
    length,
    moment,
    reminders_to_come,
    zone_of,
)

if TYPE_CHECKING:
    from jinja2 import Environment

UNSUBSCRIBE_PATH = "/v1/notifications/unsubscribe"


@dataclass(frozen=True, slots=True)
class Mail:
    """A composed mail."""

    subject: str
    text: str
    html: str
    handling: Handling


@lru_cache
def _environment(layout: str) -> "Environment":
    """The template environment of a layout. Both layouts use the same templates; only HTML is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 -- only the worker needs it

    environment = Environment(
        loader=PackageLoader("app.services.notifications"),
        autoescape=layout == "html",  # noqa: S701 -- plain text needs no escaping
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts: Any = environment.get_template(f"parts.{layout}").module
    environment.globals |= {"layout": f"mail.{layout}", "fact": parts.fact, "ending": parts.ending}
    return environment


def compose(
    parts: Components, notification: Notification, user: User, delivery_id: UUID, now: datetime
) -> Mail:
    """The mail of a notification, in the user's language and time zone, as it is sent now."""
    kind = Kind(notification.kind)
    language, zone = language_of(user.language), zone_of(user.timezone)
    topic = RULES[kind].topic
    unsubscribe = None
    if topic is not None:
        token = parts.unsubscribe_tokens.issue(Unsubscription(user.id, topic))
        unsubscribe = f"{parts.settings.api_url.rstrip('/')}{UNSUBSCRIBE_PATH}?token={token}"
    subject, text, html = render(
        kind,
        language,
        _facts(notification.data, language, zone)
        | _computed(notification.data, language, now)
        | {
            "name": greeting_name(user.name),
            "app_url": parts.settings.app_url,
            "topic": topic,
            "unsubscribe_url": unsubscribe,
        },
    )
    return Mail(subject, text, html, Handling(delivery_id, unsubscribe))


def render(template: str, language: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Render subject, text and HTML of a mail."""
    name, known = f"{template}.{language}.j2", {**values, "language": language}
    plain = _environment("txt").get_template(name)
    subject = "".join(plain.blocks["subject"](plain.new_context(known))).strip()
    text = re.sub(r"\n{3,}", "\n\n", plain.render(known)).strip() + "\n"
    return subject, text, _environment("html").get_template(name).render(known)


def page(template: str, language: str, **values: object) -> str:
    """Render a web page that a link in a mail opens."""
    return _environment("html").get_template(template).render(values, language=language)


def _computed(data: Mapping[str, Any], language: str, now: datetime) -> dict[str, Any]:
    """What is computed when a mail is sent: how far away a paper is, and which reminders are to come."""
    paper = data.get("paper")
    left = datetime.fromisoformat(paper["starts_at"]) - now if paper else None
    return {
        "opens_in": distance(left, language) if left is not None else None,
        "reminders": reminders_to_come(data.get("papers", ()), language),
    }


def _facts(data: Mapping[str, Any], language: str, zone: ZoneInfo) -> dict[str, Any]:
    """The notification's data with texts in the user's language and times in the user's time zone."""
    return {name: _as_read(name, value, language, zone) for name, value in data.items()}


def _as_read(name: str, value: Any, language: str, zone: ZoneInfo) -> Any:
    if name == "papers":
        return [_facts(paper, language, zone) for paper in value]
    if name == "paper":
        return _facts(value, language, zone)
    if name in ("extra_seconds", "previous_extra_seconds"):
        return length(value, language) if value else None
    if name.endswith("_at"):
        return moment(datetime.fromisoformat(value), language, zone)
    return in_language(value, language) if isinstance(value, dict) else value
