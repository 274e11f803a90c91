"""QTI 2.0 to 2.2 and 3, which learning and exam platforms read and write (docs/interchange.md)."""
