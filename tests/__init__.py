"""Tests read as sentences, and each can fail."""
