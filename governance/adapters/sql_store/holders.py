"""Which process holds a lease, and whether it still lives on this machine.

A process that was killed gives nothing back; on its own machine its successor need not wait for
the lease to run out. Of other machines nothing is known here, so their leases run out by time.
"""

from __future__ import annotations

import os
import socket


def this_process() -> str:
    """Host and process id; the beginning of every holder's name."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_dead(holder: str) -> bool:
    """Whether a holder of this host is gone. One with this very process id is an earlier one: in
    a container every start has the same. Asked at start, before anything is held."""
    host, _colon, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
