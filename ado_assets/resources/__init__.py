"""Dagster resources: the connectors, each with its own credentials, and the warehouse."""

from ado_assets.resources.connector import AdoConnector, ConnectorOff
from ado_assets.resources.deployment import AdoDeployment
from ado_assets.resources.warehouse import AdoWarehouse

__all__ = ["AdoConnector", "AdoDeployment", "AdoWarehouse", "ConnectorOff"]
