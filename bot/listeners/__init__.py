"""Slack's payloads to inbox rows: store, ack, hand over."""
