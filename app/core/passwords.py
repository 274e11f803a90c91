"""The password policy: a minimum length and no common passwords. There is no rule about character classes."""

from functools import cache

from app.core.errors import WeakPassword
from app.sentences import Sentence

MIN_CHARACTERS = 8
# Supabase Auth rejects longer passwords.
MAX_BYTES = 72
# ASVS requires a check of the 3,000 most common passwords that satisfy the policy. About a third of the
# 10,000 most common passwords of zxcvbn have at least eight characters.
COMMON_PASSWORDS = 10_000


def check_password(password: str, *, email: str, name: str = "") -> None:
    """Raise WeakPassword, with a sentence that says how to correct it, if the password is not allowed."""
    if problem := _problem_of(password, email, name):
        raise WeakPassword(problem)


def _problem_of(password: str, email: str, name: str) -> str | None:
    if "\0" in password or not _is_encodable(password):
        return Sentence(
            "The password contains a character that cannot be stored. Choose letters, digits or symbols."
        )
    if len(password) < MIN_CHARACTERS:
        return Sentence("The password is too short. Use at least {least} characters.", least=MIN_CHARACTERS)
    if len(password.encode()) > MAX_BYTES:
        return Sentence(
            "The password is too long. Use at most {most} bytes; letters such as é or क take 2 to 4.",
            most=MAX_BYTES,
        )
    if password.casefold() in {email.strip().casefold(), name.strip().casefold()}:
        return Sentence(
            "The password is your e-mail address or your name. Choose something that others do not know."
        )
    if password.lower() in _common_passwords():
        return Sentence("This is one of the most common passwords. Choose one that others would not guess.")
    return None


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 -- slow to import, seldom needed

    return frozenset(FREQUENCY_LISTS["passwords"][:COMMON_PASSWORDS])
