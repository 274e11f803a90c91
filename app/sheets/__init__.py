"""CSV and XLSX files: reading, writing, limits, row errors and import reports.

The package knows nothing of questions, exams or the database. It imports the standard library, openpyxl,
defusedxml and `app/sentences.py`, and raises its own errors (`errors.py`), which `app/services/imports.py`
turns into domain errors. No other package imports openpyxl.
"""

import os

# openpyxl prefers lxml where a development tool has installed it. lxml accepts document type definitions;
# the parser that openpyxl uses otherwise, from defusedxml, refuses them.
os.environ["OPENPYXL_LXML"] = "False"
