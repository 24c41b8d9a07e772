"""Policies and people as files: what is refused, where, and in which words."""
