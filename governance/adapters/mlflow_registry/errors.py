"""MLflow's errors in our words. A sentence never holds an address or a credential."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException

from governance.domain.errors import FoureyesError, Refused, Unavailable

_MISSING = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
_FORBIDDEN = ("PERMISSION_DENIED", "UNAUTHENTICATED")


@contextmanager
def translated(what: str, missing: Refused | None = None) -> Iterator[None]:
    """Run one call of MLflow's client; `missing` is what its 'does not exist' means here.

    Raises:
        Refused: `missing`. Unavailable: `registry_forbidden`, `registry_unavailable`.
    """
    try:
        yield
    except FoureyesError:
        raise
    except MlflowException as error:
        raise _ours(error, what, missing) from error
    except OSError as error:  # requests' own errors are OSErrors
        raise unavailable(what) from error


def unavailable(what: str) -> Unavailable:
    """MLflow did not answer."""
    return Unavailable(
        "registry_unavailable",
        f"MLflow does not answer ({what}). Nothing is lost: it is tried again. If this lasts, the "
        "platform team has to look at the MLflow server.",
    )


def _ours(error: MlflowException, what: str, missing: Refused | None) -> FoureyesError:
    code = str(error.error_code)
    text = str(error)
    if code in _FORBIDDEN or "error code 401" in text or "error code 403" in text:
        return Unavailable(
            "registry_forbidden",
            f"MLflow does not let Foureyes do this ({what}). The platform team has to give the "
            "bot's MLflow user the permission MANAGE on this model.",
        )
    if code in _MISSING and missing is not None:
        return missing
    if code == "INVALID_PARAMETER_VALUE" and missing is not None and "not found" in text.lower():
        return missing
    return unavailable(what)
