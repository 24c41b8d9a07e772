"""What MLflow itself says, asked by the demo with MLflow's own client, past the bot."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class RegistryView:
    """One MLflow server."""

    tracking_uri: str

    def stage(self, model: str, version: int) -> str:
        """The stage of one version."""
        return str(self._client().get_model_version(model, str(version)).current_stage)

    def production(self, model: str) -> list[int]:
        """Every version in stage Production, ascending."""
        found = self._client().search_model_versions(f"name='{model}'")
        return sorted(int(v.version) for v in found if v.current_stage == "Production")

    def stages(self, model: str) -> dict[int, str]:
        """The stage of every version."""
        found = self._client().search_model_versions(f"name='{model}'")
        return {int(v.version): str(v.current_stage) for v in found}

    def set_stage(self, model: str, version: int, stage: str) -> None:
        """Move a stage directly, as anybody can in the MLflow UI."""
        with warnings.catch_warnings():
            # MLflow announces the end of stages at each call; that is what the demo is about.
            warnings.simplefilter("ignore", FutureWarning)
            self._client().transition_model_version_stage(
                model, str(version), stage, archive_existing_versions=True
            )

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient  # seconds to load: not before there is a page

        return MlflowClient(tracking_uri=self.tracking_uri)
