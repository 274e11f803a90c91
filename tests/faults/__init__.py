"""Faults injected into the real system while candidates sit a test (`make faults`)."""
