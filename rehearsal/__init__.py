"""Rehearsals: simulated candidates take a test or an exam over the API, and every result is checked.

The package speaks HTTP and reads the database with statements of its own. Of `app` it imports the settings
alone, so that what it expects does not come from the code that it checks.
"""
