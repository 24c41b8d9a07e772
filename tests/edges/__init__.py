"""The edges of the system: what it writes and whom it calls, with real files and sockets."""
