"""What we tell people: mails, in their language."""

import unicodedata
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app.services.components import Components
from app.services.unit_of_work import Reading

LANGUAGES = ("en", "hi")

_templates = Environment(
    loader=PackageLoader("app.services"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


async def send_welcome(reads: Reading, parts: Components, user_id: UUID) -> None:
    """Say welcome, unless the person is gone again."""
    member = await reads.users.member(user_id)
    if member is None:
        return
    subject, text, html = render(
        "welcome",
        member.user.language,
        name=name_to_greet(member.user.name),
        app_url=parts.settings.app_url,
    )
    await parts.mailer.send(member.user.email, subject, text, html)


def render(template: str, language: str, **values: object) -> tuple[str, str, str]:
    """Subject (the text's first line), text and HTML of a mail, in English where we lack the language."""
    spoken = language.partition("-")[0].lower()
    name = f"{template}.{spoken if spoken in LANGUAGES else LANGUAGES[0]}"
    subject, _, text = _templates.get_template(f"{name}.txt").render(values).partition("\n")
    return subject, text.lstrip("\n"), _templates.get_template(f"{name}.html").render(values)


def name_to_greet(name: str) -> str | None:
    """The name, if it looks like one.

    Anybody can register somebody else's address under the name "win at evil.example": a mail of ours must not
    carry that to them.
    """
    plain = all(unicodedata.category(letter)[0] in "LM" or letter in " -'’." for letter in name)
    within_words = any("." in word[:-1] for word in name.split())
    return name if name.strip() and plain and not within_words and len(name) <= 60 else None
