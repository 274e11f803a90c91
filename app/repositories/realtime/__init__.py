"""Messages for sockets, and the rooms and tickets that admit sockets."""
