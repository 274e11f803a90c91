"""Tests and exams from files: read, checked, and applied so that a second time changes nothing."""
