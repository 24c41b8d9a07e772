"""MLflow's errors in our words. A sentence never holds an address or a credential."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException

from governance.adapters.mlflow_registry.deadline import verify_time_left
from governance.domain.errors import FoureyesError, Refused, Unavailable

_MISSING = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


@contextmanager
def translated(
    what: str, missing: Refused | None = None, *, invalid_is_missing: bool = False
) -> Iterator[None]:
    """Run one call of MLflow's client; `missing` is what its 'does not exist' means here, and
    with `invalid_is_missing` also its 'no such name is possible'.

    Raises:
        Refused: `missing`. Unavailable: `registry_forbidden` (with what to grant),
            `registry_unavailable`, and `registry_error` for an answer that nobody foresaw.
    """
    verify_time_left()
    try:
        yield
    except FoureyesError:
        raise
    except MlflowException as error:
        raise _ours(error, what, missing, invalid_is_missing=invalid_is_missing) from error
    except OSError as error:  # requests' own errors are OSErrors
        status = status_of(error)
        # Files come over plain HTTP, where MLflow's client leaves the translation to us.
        raise unavailable(what) if status is None else _of_status(status, "", what) from error


def is_of_http(error: OSError) -> bool:
    """Whether an error is one of requests', not one of this machine's own."""
    return hasattr(error, "request") and hasattr(error, "response")


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status that an error of requests carries, if it does."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def unavailable(what: str) -> Unavailable:
    """MLflow did not answer."""
    return Unavailable(
        "registry_unavailable",
        f"MLflow does not answer ({what}). If this lasts, the platform team has to look at the "
        "MLflow server.",
    )


def no_mlflow(what: str) -> Unavailable:
    """Something answers at this address, but not as MLflow does."""
    return Unavailable(
        "registry_error",
        f"What answers at MLflow's address does not answer as MLflow does ({what}). The platform "
        "team has to check MLFLOW_TRACKING_URI and whatever stands before the server.",
    )


def _ours(
    error: MlflowException, what: str, missing: Refused | None, *, invalid_is_missing: bool
) -> FoureyesError:
    code = str(error.error_code)
    if missing is not None:
        if code in _MISSING:
            return missing
        if code == "INVALID_PARAMETER_VALUE" and invalid_is_missing:
            return missing
    return _of_status(int(error.get_http_status_code()), code, what)


def _of_status(status: int, code: str, what: str) -> Unavailable:
    if status == 401:
        return Unavailable(
            "registry_forbidden",
            f"MLflow does not accept the credentials of Foureyes ({what}). The platform team has "
            "to check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN.",
        )
    if status == 403:
        return Unavailable(
            "registry_forbidden",
            f"MLflow does not let Foureyes do this ({what}). The platform team has to give the "
            "bot's MLflow user the permission MANAGE on this model, and READ on the experiments "
            "of its runs.",
        )
    if status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS:
        return unavailable(what)
    if code in ("", "ENDPOINT_NOT_FOUND"):
        return no_mlflow(what)
    return Unavailable(
        "registry_error",
        f"MLflow refuses this ({what}) with {code}. The platform team has to look at the MLflow "
        "server.",
    )
