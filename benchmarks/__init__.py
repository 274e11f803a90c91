"""Benchmarks of the operations that many users perform at the same time."""
