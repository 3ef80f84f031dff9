"""The job ``verify``: whether every token of every connector may read what it should, before a sync finds out."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from ado_assets.config import CONNECTORS, ConfigurationError, unknown_name
from ado_assets.connections import ConnectionReport, Finding, check_connections
from ado_assets.resources import AdoDeployment

JOB: Final = "verify"


class VerifyConfig(dg.Config):
    """
    Run configuration.

    Args:
        connectors: Names of the connectors to check; empty for all.
    """

    connectors: list[str] = []  # noqa: RUF012 (the configuration system copies defaults)


def make_verify_job(resources: Mapping[str, Any]) -> dg.JobDefinition:
    """One step that asks the service and writes nothing."""
    graph = dg.GraphDefinition(name=JOB, node_defs=[verify_connections])
    return graph.to_job(
        name=JOB,
        description="Check for each connector and token what it may read, and say what to do about the rest.",
        executor_def=dg.in_process_executor,
        resource_defs={"deployment": resources["deployment"], "io_manager": dg.mem_io_manager},
    )


@dg.op(
    out=dg.Out(dict),
    required_resource_keys={"deployment"},
    description="Run the probes of every connector with each of its tokens; fail when one does not pass.",
)
def verify_connections(context: dg.OpExecutionContext, config: VerifyConfig) -> dict[str, Any]:
    """
    Log a line per probe and fail the run when a configured connector does not pass.

    The report, without any secret, is the step's output and its metadata.
    """
    if unknown := [unknown_name("connector", name, CONNECTORS) for name in config.connectors if name not in CONNECTORS]:
        raise ConfigurationError(unknown)
    deployment: AdoDeployment = context.resources.deployment
    settings = deployment.settings()
    if not settings.organization:
        raise ConfigurationError(["ADO_ORGANIZATION is not set. Set it to the name in https://dev.azure.com/<name>."])
    report = check_connections(settings, config.connectors or CONNECTORS)
    plain = report.as_dict()
    context.add_output_metadata({"connections": dg.MetadataValue.md(_markdown(report)), "report": plain})
    _log(context, report)
    if not report.passed:
        raise dg.Failure(
            description="\n".join(map(_told, report.findings))
            or "No connector has a token, so nothing could be checked.",
            metadata={"connections": dg.MetadataValue.md(_markdown(report)), "report": plain},
        )
    return plain


def _log(context: dg.OpExecutionContext, report: ConnectionReport) -> None:
    """A line per connector that is off, per probe and per warning."""
    for connector in report.connectors:
        if connector.off:
            context.log.info(f"{connector.connector} is {connector.off}")
        for token in connector.tokens:
            for probe in token.probes:
                context.log.info(
                    f"{connector.connector}, {token.token}, {probe.probe}: {probe.verdict}; {probe.message}"
                )
    for warning in report.warnings:
        context.log.warning(warning)


def _told(finding: Finding) -> str:
    probe = finding.example
    says = f' The service says: "{probe.service_message}".' if probe.service_message else ""
    tables = f" Tables that stay empty: {', '.join(finding.empty_tables)}." if finding.empty_tables else ""
    return f"{finding.title}: {', '.join(finding.probes)}: {probe.message}{says} {probe.action}{tables}"


def _markdown(report: ConnectionReport) -> str:
    lines = ["| connector | token | probe | verdict | tables that stay empty |", "|---|---|---|---|---|"]
    lines += [
        f"| {connector.connector} | {token.token} | {probe.probe} | {probe.verdict} | {', '.join(probe.empty_tables)} |"
        for connector in report.connectors
        for token in connector.tokens
        for probe in token.probes
    ]
    return "\n".join(lines + [f"| {each.connector} | | | off | |" for each in report.connectors if each.off])
