"""How far a channel was told, and pictures, on both databases."""

from __future__ import annotations

from governance.adapters.sql_store import SqlStore
from governance.domain.evidence import ModelName, Version
from governance.ports import SentPicture
from tests.builders import MODEL


def test_only_one_moves_on_from_the_same_version(store: SqlStore) -> None:
    """Whoever comes second writes nothing, and the transaction goes on."""
    with store.transaction() as tx:
        assert tx.save_noticed(MODEL, None, Version(3))
        assert not tx.save_noticed(MODEL, None, Version(4))
        assert tx.save_noticed(MODEL, Version(3), Version(5))
        assert not tx.save_noticed(MODEL, Version(3), Version(6))
        assert not tx.save_noticed(ModelName("other"), Version(3), Version(6))
    with store.read() as tx:
        assert tx.noticed() == {MODEL: 5}


def test_a_picture_is_kept_replaced_and_forgotten(store: SqlStore) -> None:
    """By its key; one that is not there is forgotten too."""
    with store.transaction() as tx:
        tx.save_picture("request r1", SentPicture(file_id="F1", alt_text="x"))
        tx.save_picture("request r1", SentPicture(file_id="F2", alt_text="ROC " * 250))
        tx.save_picture("request r2", SentPicture(file_id="F3", alt_text=""))
        tx.save_picture("request r2", None)
        tx.save_picture("request r3", None)
    with store.read() as tx:
        assert tx.picture("request r1") == SentPicture(file_id="F2", alt_text="ROC " * 250)
        assert tx.picture("request r2") is None
