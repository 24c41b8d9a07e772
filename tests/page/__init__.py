"""The workspace's page: what it shows, what it does, whom it lets in. The browser itself is tried
in tests/system."""
