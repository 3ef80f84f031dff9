"""The Dagster entry point; reads the configuration of the environment when it is loaded."""

from ado_assets.graph import build_defs

__all__ = ["build_defs", "defs"]

defs = build_defs()
