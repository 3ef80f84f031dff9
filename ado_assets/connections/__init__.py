"""Whether each connection works: the probes of every connector, run with every one of its tokens."""

from ado_assets.connections.check import check_connections
from ado_assets.connections.probes import PERMISSIONS, PROBES, Probe
from ado_assets.connections.report import ConnectionReport, ConnectorReport, Finding, ProbeReport, TokenReport, Verdict

__all__ = [
    "PERMISSIONS",
    "PROBES",
    "ConnectionReport",
    "ConnectorReport",
    "Finding",
    "Probe",
    "ProbeReport",
    "TokenReport",
    "Verdict",
    "check_connections",
]
