"""Questions in the formats of other programs: Aiken, GIFT, Moodle XML and so on (docs/interchange.md).

A reader turns a file into neutral items (`items.py`), a writer turns items into a file, and both list item by
item what cannot be expressed. The package knows nothing of the database or of HTTP. `app/services/questions`
turns items into rows of an import, and questions of the bank into items.
"""
