"""
Configuration: the environment and the optional ``ado.yaml``, checked as a whole.

Everything that is wrong is reported at once, with the key and what to do. Tokens are never held here: a connector knows
the names of the environment variables they stand in, and reads them when a run needs them.
"""

from __future__ import annotations

import difflib
import fnmatch
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ado_assets.tables import TABLES, Table

CONNECTORS: Final = ("boards", "pipelines", "repos", "pull_commits", "commits")

#: Which environment variables may hold a connector's tokens; the first that is set counts.
TOKEN_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "boards": ("ADO_BOARDS_PAT", "ADO_PAT"),
    "pipelines": ("ADO_PIPELINES_PAT", "ADO_PAT"),
    "repos": ("ADO_REPOS_PAT", "ADO_PAT"),
    "pull_commits": ("ADO_PULL_COMMITS_PAT", "ADO_PAT"),
    "commits": ("ADO_COMMITS_PAT", "ADO_REPOS_PAT", "ADO_PAT"),
}

#: Which connectors can read what, in the order in which they are tried.
STAND_INS: Final[Mapping[str, tuple[str, ...]]] = {
    "core": ("boards", "pipelines", "repos"),
    "boards": ("boards",),
    "pipelines": ("pipelines",),
    "repos": ("repos", "pull_commits", "commits"),
    "pull_commits": ("pull_commits",),
    "commits": ("commits",),
}

DEFAULT_WAREHOUSE: Final = "data/azure_devops.duckdb"


class ConfigurationError(ValueError):
    """The configuration cannot be used. Its text lists every problem with its key and the fix."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class TableSettings(BaseModel):
    """What ``ado.yaml`` may say of one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    drop_columns: tuple[str, ...] = ()


class FileSettings(BaseModel):
    """The content of ``ado.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, TableSettings] = Field(default_factory=dict)
    schedules: dict[str, str] = Field(default_factory=dict)
    start_schedules: bool = False
    concurrency: int = Field(default=32, ge=1, le=128)
    attempts: int = Field(default=6, ge=1, le=20)
    overlap_minutes: int = Field(default=10, ge=1)
    grace_days: int = Field(default=14, ge=0)
    keep_landing_days: int = Field(default=7, ge=0)


@dataclass(frozen=True)
class Settings:
    """
    One deployment: an organization, its hosts, its warehouse and what to read.

    Args:
        organization: Name of the organization (or collection); empty when it is not configured yet.
        core_url, graph_url, release_url: The three hosts, without a trailing slash.
        warehouse: The DuckDB file.
        publish: Where a read-only copy goes after each sync, if anywhere.
        start_date: Events before it are left out of the first sync, UTC-aware.
        projects, exclude_projects: Names or globs; empty means all and none.
        file: What ``ado.yaml`` says.
    """

    organization: str
    core_url: str = "https://dev.azure.com"
    graph_url: str = "https://vssps.dev.azure.com"
    release_url: str = "https://vsrm.dev.azure.com"
    warehouse: Path = Path(DEFAULT_WAREHOUSE)
    publish: Path | None = None
    start_date: datetime | None = None
    projects: tuple[str, ...] = ()
    exclude_projects: tuple[str, ...] = ()
    file: FileSettings = field(default_factory=FileSettings)

    @property
    def data(self) -> Path:
        """Folder of the warehouse file; landing files and the default Dagster home stand beside it."""
        return self.warehouse.parent

    @property
    def landing(self) -> Path:
        """Folder of the landing files."""
        return self.data / "landing"

    def selects(self, project: str) -> bool:
        """Whether the project of this name is to be read."""
        included = not self.projects or _matches(project, self.projects)
        return included and not _matches(project, self.exclude_projects)

    def enabled(self, table: str) -> bool:
        """Whether the table is to be read at all."""
        return self.file.tables.get(table, TableSettings()).enabled

    def table(self, table: Table) -> Table:
        """The declaration without the columns that the configuration drops; they are not kept in ``_extra`` either."""
        dropped = set(self.file.tables.get(table.name, TableSettings()).drop_columns)
        if not dropped:
            return table
        gone = tuple(c.path for c in table.columns if c.name in dropped and not c.path.startswith(("@", "^", "#")))
        kept = tuple(c for c in table.columns if c.name not in dropped)
        return replace(table, columns=kept, ignored=(*table.ignored, *gone))


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """
    Read the environment and ``ado.yaml`` (named by ``ADO_CONFIG``).

    An organization or token that is missing is not an error here: it is reported when something is to be read.

    Raises:
        ConfigurationError: With every problem found.
    """
    env = os.environ if environment is None else environment
    problems: list[str] = []
    organization, core_url = _organization(env, problems)
    hosts = {
        "core_url": _url(env, "ADO_BASE_URL", core_url or Settings.core_url, problems),
        "graph_url": _url(env, "ADO_GRAPH_URL", _same_host(env, core_url, Settings.graph_url), problems),
        "release_url": _url(env, "ADO_RELEASE_URL", _same_host(env, core_url, Settings.release_url), problems),
    }
    settings = Settings(
        organization=organization,
        **hosts,
        warehouse=_warehouse(env, problems),
        publish=Path(env["ADO_PUBLISH"]) if env.get("ADO_PUBLISH") else None,
        start_date=_instant(env, "ADO_START_DATE", problems),
        projects=_names(env.get("ADO_PROJECTS", "")),
        exclude_projects=_names(env.get("ADO_EXCLUDE_PROJECTS", "")),
        file=_file(env.get("ADO_CONFIG"), problems),
    )
    if problems:
        raise ConfigurationError(problems)
    return settings


def token_variable(connector: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Name of the environment variable that holds the connector's tokens now; None when none is set."""
    env = os.environ if environment is None else environment
    return next((name for name in TOKEN_VARIABLES[connector] if env.get(name, "").strip()), None)


def connector_for(role: str, environment: Mapping[str, str] | None = None) -> str | None:
    """The first connector with a token that can read *role* (a table's ``connector``); None when all are off."""
    return next((name for name in STAND_INS[role] if token_variable(name, environment)), None)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence for a name that is not known, with the nearest that is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"There is no {kind} called {name!r}.{hint} Known: {listed or 'none yet'}."


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(name == p or fnmatch.fnmatchcase(name.casefold(), p.casefold()) for p in patterns)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _organization(env: Mapping[str, str], problems: list[str]) -> tuple[str, str | None]:
    """The organization's name and, when its whole URL was given, the host that URL names."""
    text = env.get("ADO_ORGANIZATION", "").strip().rstrip("/")
    if "://" not in text:
        if "/" in text or any(c.isspace() for c in text):
            problems.append(
                f"ADO_ORGANIZATION={text!r} is neither a name nor a URL. Set the name as it stands in "
                "https://dev.azure.com/<name>, or that whole URL."
            )
        return text, None
    parts = urlsplit(text)
    host = parts.hostname or ""
    if host.endswith(".visualstudio.com"):
        return host.removesuffix(".visualstudio.com"), None
    base, _, name = parts.path.rpartition("/")
    if parts.scheme not in ("http", "https") or not host or not name:
        problems.append(
            f"ADO_ORGANIZATION={text!r} is not a URL of an organization. It looks like https://dev.azure.com/<name>."
        )
        return "", None
    return name, None if host == "dev.azure.com" else f"{parts.scheme}://{parts.netloc}{base}"


def _same_host(env: Mapping[str, str], core_url: str | None, default: str) -> str:
    """On Azure DevOps Server one base serves every area: the other two follow ``ADO_BASE_URL`` when it is set alone."""
    base = env.get("ADO_BASE_URL", "").strip() or core_url or default
    return default if urlsplit(base).hostname == "dev.azure.com" else base


def _url(env: Mapping[str, str], key: str, default: str, problems: list[str]) -> str:
    text = (env.get(key, "").strip() or default).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        problems.append(f"{key}={text!r} is not a URL. It looks like https://dev.azure.com or https://server/tfs.")
    return text


def _warehouse(env: Mapping[str, str], problems: list[str]) -> Path:
    path = Path(env.get("ADO_WAREHOUSE", "").strip() or DEFAULT_WAREHOUSE).expanduser()
    if path.stem.casefold() == "ado":
        problems.append(
            f"ADO_WAREHOUSE={path} cannot be used: DuckDB names the catalog after the file, so ado.builds would be "
            "ambiguous. Choose another file name, for example azure_devops.duckdb."
        )
    return path


def _instant(env: Mapping[str, str], key: str, problems: list[str]) -> datetime | None:
    text = env.get(key, "").strip()
    if not text:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        problems.append(f"{key}={text!r} is not a date or instant. Write 2026-01-31 or 2026-01-31T12:00:00Z.")
        return None


def parse_instant(text: str) -> datetime:
    """A date or instant in ISO 8601; without a zone it is UTC. ValueError when it is neither."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _file(path: str | None, problems: list[str]) -> FileSettings:
    if not path:
        return FileSettings()
    try:
        content: Any = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        settings = FileSettings.model_validate(content)
    except OSError as error:
        problems.append(f"ADO_CONFIG={path} cannot be read: {error.strerror}. Check the path or unset ADO_CONFIG.")
    except yaml.YAMLError as error:
        problems.append(f"{path} is not valid YAML: {' '.join(str(error).split())}")
    except ValidationError as error:
        problems += [f"{path}: {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}." for e in error.errors()]
    else:
        problems += _unknown_names(path, settings)
        return settings
    return FileSettings()


def _unknown_names(path: str, settings: FileSettings) -> list[str]:
    problems = []
    for name, table in settings.tables.items():
        if name not in TABLES:
            problems.append(f"{path}: tables.{name}: {unknown_name('table', name, TABLES)}")
            continue
        declared = TABLES[name]
        for column in table.drop_columns:
            if column not in {c.name for c in declared.columns}:
                near = unknown_name("column", column, (c.name for c in declared.columns))
                problems.append(f"{path}: tables.{name}.drop_columns: {near}")
            elif column in declared.required:
                problems.append(f"{path}: tables.{name}.drop_columns: {column!r} is required and cannot be dropped.")
    for name in settings.schedules:
        if name not in (*CONNECTORS, "core", "reconcile"):
            known = unknown_name("schedule", name, (*CONNECTORS, "core", "reconcile"))
            problems.append(f"{path}: schedules.{name}: {known}")
    return problems
