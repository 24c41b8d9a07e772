"""The bot is killed at every step; what its successor makes of it."""
