"""Calls over HTTP to addresses that an operator wrote down: the webhook and the serving probe.

Standard library alone. The address that was checked is the address that is called.
"""

from governance.adapters.http_edges.serving_probe import HttpProbe
from governance.adapters.http_edges.webhook import SignedWebhook

__all__ = ["HttpProbe", "SignedWebhook"]
