"""Uploaded files: announced, sent, completed, in this order. Knows nothing of HTTP."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass, field

from bot.sandbox.json_values import JsonObject

IMAGES = ("image/png", "image/jpeg", "image/gif")


@dataclass
class File:
    """One file of the app. `data` is None until it was sent."""

    id: str
    name: str
    length: int
    alt_text: str
    title: str = ""
    data: bytes | None = None
    is_complete: bool = False
    created_seconds: int = 0
    pass_token: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def mimetype(self) -> str:
        """By its first bytes for a picture, else by its name."""
        head = (self.data or b"")[:8]
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return "image/png"
        if head.startswith(b"\xff\xd8\xff"):
            return "image/jpeg"
        if head.startswith((b"GIF87a", b"GIF89a")):
            return "image/gif"
        guessed, _encoding = mimetypes.guess_type(self.name)
        is_picture = guessed is not None and guessed.startswith("image/")
        return "application/octet-stream" if guessed is None or is_picture else guessed

    @property
    def is_shown_as_image(self) -> bool:
        """Whether an image block may name it."""
        return self.is_complete and self.mimetype in IMAGES

    def to_wire(self) -> JsonObject:
        """As `files.info` tells it; permalinks lead nowhere here."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "size": self.length,
            "created": self.created_seconds,
            "alt_txt": self.alt_text,
            "mode": "hosted",
            "is_external": False,
        }


class Files:
    """All files of the workspace."""

    def __init__(self) -> None:
        self._by_id: dict[str, File] = {}

    def add(self, file: File) -> File:
        """Announce one."""
        self._by_id[file.id] = file
        return file

    def __len__(self) -> int:
        return len(self._by_id)

    def by_id(self, file_id: str) -> File | None:
        """Announced, whether or not it was sent."""
        return self._by_id.get(file_id)

    def by_pass(self, token: str) -> File | None:
        """The one that may be sent with this pass."""
        return next((f for f in self._by_id.values() if f.pass_token == token), None)
