"""The domain errors of key revisions. `core/errors.py` has their tree."""

from collections.abc import Sequence

from app.core.errors import Conflict
from app.sentences import Sentence


class StaleDryRun(Conflict):
    """The dry run shows something else than the publication would do. `changed` says what has happened since.

    These are `graded`, `revised` and `published` (a version of the paper with one of the questions).
    """

    code, title = "stale_dry_run", "Dry run out of date"

    def __init__(self, changed: Sequence[str]) -> None:
        super().__init__(
            "Since this dry run, attempts were graded, the key was revised or the test was published again."
            " Make another dry run, and publish that one.",
            changed=list(changed),
        )


class KeyRevisionRunning(Conflict):
    """A key revision of the test is being published: neither another one nor the test can be published.

    `number` is its number.
    """

    code, title = "key_revision_running", "Another revision is being published"

    def __init__(self, number: int) -> None:
        template = "Revision {number} of this test is being published. Wait until it is published."
        super().__init__(Sentence(template, number=number), number=number)
