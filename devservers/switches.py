"""Variables that are true or false."""

from collections.abc import Mapping

from devservers.errors import SettingsError

TRUE_VALUES = frozenset({"true", "1", "yes", "on"})
FALSE_VALUES = frozenset({"", "false", "0", "no", "off"})


def read_switch(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable is true; one that is not set is false. Raises SettingsError for other values."""
    value = environment.get(name, "").lower()
    if value not in TRUE_VALUES | FALSE_VALUES:
        raise SettingsError(f"{name} must be true or false, not {value!r}.")
    return value in TRUE_VALUES
