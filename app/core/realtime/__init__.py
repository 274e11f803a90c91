"""Realtime messages (docs/decisions/0011): a bounded stream in Redis, and a copy of it in each API process.

Committed messages are published to the stream (`stream.py`). Each API process reads the stream, keeps its
messages (`memory.py`) and delivers them to its sockets (`hub.py`), which have bounded queues (`inbox.py`).
Replay and live delivery read the same copy without an await between them, so that no message is lost.
"""
