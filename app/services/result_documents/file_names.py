"""Names of files that every system takes."""


def file_name(prefix: str, roll_number: str) -> str:
    """The name of a candidate's PDF. Different roll numbers give different names.

    Letters and digits of ASCII and the hyphen stay. Every other character becomes its code: "26/7" is
    "26_2f_7".
    """
    return f"{prefix}-{''.join(map(_safe, roll_number))}.pdf"


def _safe(character: str) -> str:
    is_safe = character.isascii() and (character.isalnum() or character == "-")
    return character if is_safe else f"_{ord(character):x}_"
