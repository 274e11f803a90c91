"""Tests mirror the tree of `app/`; each starts real servers through `conftest.py`."""

import os
import sys

# A development tool brings lxml, which production has not: openpyxl must read with the same parser here. It
# decides when it is imported, so that this stands before any import of the application.
os.environ["OPENPYXL_LXML"] = "False"

# jsonschema would parse the grammar of internationalized addresses at each start, which takes a second. No
# schema here has that format.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
