"""What the import of the application must not import (docs/decisions/0094)."""

from tests.fork_server import ForkServer

SELDOM_NEEDED = {
    "PIL",
    "celery",
    "fontTools",
    "jinja2",
    "lxml",
    "matplotlib",
    "numpy",
    "obstore",
    "openpyxl",
    "scipy",
    "typst",
    "zxcvbn",
}
"""Libraries of single features. They are imported when one of these is used, or in a child process."""


def test_the_application_is_imported_without_libraries_of_single_features(fork_server: ForkServer) -> None:
    assert fork_server.packages_of_application() & SELDOM_NEEDED == set()
