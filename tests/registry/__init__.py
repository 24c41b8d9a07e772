"""The registry port on a real MLflow server."""
