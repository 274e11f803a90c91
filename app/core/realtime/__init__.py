"""Realtime messages (docs/decisions/0011): a bounded stream in Redis, and a copy of it in each API process.

Committed messages are published to the stream (`stream.py`). Each API process reads it once, keeps what it
has read (`memory.py`) and hands it to its own sockets (`hub.py`), each of which has a bounded queue
(`inbox.py`).
Replay and live delivery come from the same memory, in the same moment, so that nothing is lost between them.
"""
