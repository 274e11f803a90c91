"""Messages for sockets, access to rooms, and tickets of sockets."""
