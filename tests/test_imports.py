"""What the import of the application must not import (docs/decisions/0094)."""

import subprocess
import sys

SELDOM_NEEDED = (
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
)
"""Libraries of single features. They are imported when one of these is used, or in a child process."""


def test_the_application_is_imported_without_libraries_of_single_features() -> None:
    code = f"import sys, app.main; print(*(name for name in {SELDOM_NEEDED} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
