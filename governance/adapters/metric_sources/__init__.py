"""Predictions and outcomes through Ibis: one expression for every engine that holds them.

The only place that imports Ibis. Reads alone; writes nothing anywhere.
"""

from governance.adapters.metric_sources.sources import IbisSources

__all__ = ["IbisSources"]
