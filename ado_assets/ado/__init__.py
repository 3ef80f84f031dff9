"""The API client: transport, credentials, pace, retries, paging, errors, timestamps. Knows no tables."""

from ado_assets.ado import timestamps
from ado_assets.ado.answer import Answer
from ado_assets.ado.client import AdoClient
from ado_assets.ado.concurrency import merge
from ado_assets.ado.credentials import Credential, PersonalAccessToken
from ado_assets.ado.endpoint import Endpoint, Hosts, Params, PathValues
from ado_assets.ado.errors import (
    AccessDenied,
    AdoError,
    BadAnswer,
    BadRequest,
    ConnectionLost,
    Kind,
    NotFound,
    PagingLoop,
    Permanent,
    RepositoryNotFound,
    ServiceUnavailable,
    Throttled,
    TokenRejected,
    Transient,
    UnexpectedAnswer,
)
from ado_assets.ado.paging import (
    Paging,
    body_token,
    by_body_token,
    by_continuation_header,
    by_next_skip,
    by_search_skip,
    by_skip,
    single,
)
from ado_assets.ado.records import split
from ado_assets.ado.settings import ClientSettings
from ado_assets.ado.stats import ClientStats, EndpointStats, StatsSnapshot

__all__ = [
    "AccessDenied",
    "AdoClient",
    "AdoError",
    "Answer",
    "BadAnswer",
    "BadRequest",
    "ClientSettings",
    "ClientStats",
    "ConnectionLost",
    "Credential",
    "Endpoint",
    "EndpointStats",
    "Hosts",
    "Kind",
    "NotFound",
    "Paging",
    "PagingLoop",
    "Params",
    "PathValues",
    "Permanent",
    "PersonalAccessToken",
    "RepositoryNotFound",
    "ServiceUnavailable",
    "StatsSnapshot",
    "Throttled",
    "TokenRejected",
    "Transient",
    "UnexpectedAnswer",
    "body_token",
    "by_body_token",
    "by_continuation_header",
    "by_next_skip",
    "by_search_skip",
    "by_skip",
    "merge",
    "single",
    "split",
    "timestamps",
]
