"""Names in the files of signed response sheets. Candidates keep these files: never change a name."""

SHEET_FORMAT = "ias response sheet 1"
ATTACHED = "response-sheet.json"
"""The name under which a PDF has the signed sheet attached."""
