"""Measurements of what must be quick when thousands come at the same minute."""
