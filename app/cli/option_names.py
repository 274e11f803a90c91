"""The names of options in messages: services name the fields of the API, a command has options."""

import re

_OPTIONS = {
    "blank": "--blank",
    "columns": "--columns",
    "dry_run": "--dry-run",
    "empty_key": "--empty-key",
    "format": "--format",
    "images": "--images",
    "language": "--language",
    "leave_out_unsupported": "--leave-out-unsupported",
    "legacy_font": "--legacy-font",
    "mapping": "--map",
    "multiple": "--multiple",
    "numbers_from": "--numbers-from",
    "order": "--order",
    "skip_unsupported": "--skip-unsupported",
    "unknown_roll_numbers": "--unknown-roll-numbers",
}
_QUOTED = re.compile(rf"`({'|'.join(_OPTIONS)})(=[a-z]+)?`")


def with_options(message: str) -> str:
    """The message with `--skip-unsupported` for `skip_unsupported`, and so on."""
    return _QUOTED.sub(lambda found: f"`{_OPTIONS[found[1]]}{found[2] or ''}`", message)
