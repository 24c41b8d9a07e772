"""The record: its tree, and what whoever owns the database can do to it."""
