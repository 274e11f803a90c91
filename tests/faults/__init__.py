"""Faults made on purpose, and what must hold through each of them."""
