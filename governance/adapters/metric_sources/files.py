"""Files that stand for tables: Parquet or CSV in the one folder that an address names."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from ibis import BaseBackend
from ibis.common.exceptions import TableNotFound
from ibis.expr.types import Table

from governance.domain.errors import Refused


def open_file(backend: BaseBackend, folder: Path, name: str, *, id_column: str) -> Table:
    """`predictions` is predictions.parquet, predictions.csv, or the Parquet files of the folder
    predictions; a name that ends in .parquet or .csv is a file, or many by a pattern with *.

    Opened anew at each call, so a file that was written again is read as it is now.

    Raises:
        Refused: `source_wrong`, for a file outside the folder. TableNotFound: nothing is there.
    """
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise Refused(
            "source_wrong",
            f"The table {name} would lie outside the source's folder. The owner of the policy has "
            "to name a file inside it.",
        )
    pattern = _pattern(folder, name)
    # A name of our own: the same file replaces its view, and no name is ever code.
    view = f"source_{sha256(name.encode()).hexdigest()[:16]}"
    if not pattern.endswith(".csv"):
        return backend.read_parquet(pattern, table_name=view)
    if backend.name == "pyspark":
        return backend.read_csv(pattern, table_name=view, header=True, inferSchema=True)
    table = backend.read_csv(pattern, table_name=view)
    if id_column in table.columns and not table[id_column].type().is_string():
        return backend.read_csv(pattern, table_name=view, types={id_column: "string"})
    return table


def _pattern(folder: Path, name: str) -> str:
    """What the engine is told to read, once something is there."""
    named = [name] if name.endswith((".parquet", ".csv")) else []
    for tried in (*named, f"{name}.parquet", f"{name}.csv", f"{name}/*.parquet"):
        if any(folder.glob(tried)):
            return str(folder / tried)
    raise TableNotFound(name)
