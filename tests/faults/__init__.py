"""Faults injected into the real system while candidates sit a test: `make faults`, and a short form for CI."""
