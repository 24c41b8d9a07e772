"""The model registry over MLflow's REST API, MLflow ≥ 3.0, < 4. Never loads a model."""

from governance.adapters.mlflow_registry.registry import MlflowRegistry

__all__ = ["MlflowRegistry"]
