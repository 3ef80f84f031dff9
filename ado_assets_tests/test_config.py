"""The environment and ado.yaml: every problem is named with its key and the fix, before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ado_assets.config import ConfigurationError, connector_for, load_settings, token_variable
from ado_assets.tables import PULL_REQUESTS


@pytest.mark.parametrize(
    ("text", "organization", "core", "graph"),
    [
        ("contoso", "contoso", "https://dev.azure.com", "https://vssps.dev.azure.com"),
        ("https://dev.azure.com/contoso", "contoso", "https://dev.azure.com", "https://vssps.dev.azure.com"),
        ("https://dev.azure.com/contoso/", "contoso", "https://dev.azure.com", "https://vssps.dev.azure.com"),
        ("https://contoso.visualstudio.com", "contoso", "https://dev.azure.com", "https://vssps.dev.azure.com"),
        ("https://server:8080/tfs/Main", "Main", "https://server:8080/tfs", "https://server:8080/tfs"),
    ],
)
def test_organization_is_a_name_or_any_of_its_urls(text, organization, core, graph):
    settings = load_settings({"ADO_ORGANIZATION": text})

    assert (organization, core, graph) == (settings.organization, settings.core_url, settings.graph_url)


def test_one_base_url_serves_all_three_areas_of_a_server():
    settings = load_settings({"ADO_ORGANIZATION": "Main", "ADO_BASE_URL": "https://server/tfs/"})

    assert {"https://server/tfs"} == {settings.core_url, settings.graph_url, settings.release_url}


def test_all_problems_are_reported_at_once(tmp_path):
    """A person who fixes one problem does not meet the next one only at the next try."""
    file = tmp_path / "ado.yaml"
    file.write_text(
        "tables:\n  pull_request: {enabled: false}\n  builds: {drop_columns: [reson, id]}\n"
        "schedules: {board: '* * * * *'}\n"
    )
    environment = {
        "ADO_ORGANIZATION": "my org",
        "ADO_BASE_URL": "dev.azure.com",
        "ADO_START_DATE": "last week",
        "ADO_WAREHOUSE": "data/ado.duckdb",
        "ADO_CONFIG": str(file),
    }

    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment)

    text = str(caught.value)
    for part in (
        "ADO_ORGANIZATION='my org' is neither a name nor a URL",
        "ADO_BASE_URL='dev.azure.com' is not a URL",
        "ADO_START_DATE='last week'",
        "data/ado.duckdb cannot be used",
        "There is no table called 'pull_request'. Did you mean 'pull_requests'?",
        "There is no column called 'reson'. Did you mean 'reason'?",
        "'id' is required and cannot be dropped",
        "There is no schedule called 'board'. Did you mean 'boards'?",
    ):
        assert part in text


def test_unknown_key_of_the_file_is_refused(tmp_path):
    file = tmp_path / "ado.yaml"
    file.write_text("tabels: {}\n")

    with pytest.raises(ConfigurationError, match=r"tabels: Extra inputs are not permitted"):
        load_settings({"ADO_CONFIG": str(file)})


def test_file_that_is_not_there_or_not_yaml_is_named(tmp_path):
    broken = tmp_path / "ado.yaml"
    broken.write_text("tables: [")

    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_settings({"ADO_CONFIG": str(tmp_path / "missing.yaml")})
    with pytest.raises(ConfigurationError, match="is not valid YAML"):
        load_settings({"ADO_CONFIG": str(broken)})


def test_dropped_column_is_kept_nowhere(tmp_path):
    """What a person drops must not come back through ``_extra``."""
    file = tmp_path / "ado.yaml"
    file.write_text("tables: {pull_requests: {drop_columns: [title, created_by_unique_name]}}\n")
    table = load_settings({"ADO_CONFIG": str(file)}).table(PULL_REQUESTS)

    names = {column.name for column in table.columns}

    assert not names & {"title", "created_by_unique_name"}
    assert {"title", "createdBy/uniqueName"} <= set(table.ignored)


@pytest.mark.parametrize(
    ("include", "exclude", "selected"),
    [
        ("", "", ["Alpha", "Beta", "beta-archive"]),
        ("Alpha", "", ["Alpha"]),
        ("b*", "", ["Beta", "beta-archive"]),
        ("", "*-archive", ["Alpha", "Beta"]),
    ],
)
def test_projects_are_included_and_excluded_by_name_or_glob(include, exclude, selected):
    settings = load_settings({"ADO_PROJECTS": include, "ADO_EXCLUDE_PROJECTS": exclude})

    assert selected == [name for name in ("Alpha", "Beta", "beta-archive") if settings.selects(name)]


def test_project_whose_name_looks_like_a_glob_is_selected_by_its_name():
    assert load_settings({"ADO_PROJECTS": "R&D [1]"}).selects("R&D [1]")


def test_token_falls_back_from_the_connector_to_the_common_one():
    environment = {"ADO_REPOS_PAT": "x", "ADO_PAT": "y"}

    assert "ADO_REPOS_PAT" == token_variable("commits", environment)
    assert "ADO_PAT" == token_variable("boards", environment)
    assert token_variable("boards", {"ADO_BOARDS_PAT": " "}) is None


def test_what_one_connector_may_read_another_can_stand_in_for():
    """Pull requests are readable with the token of commits; boards are not."""
    environment = {"ADO_COMMITS_PAT": "x"}

    assert "commits" == connector_for("repos", environment)
    assert connector_for("boards", environment) is None


def test_instant_without_a_zone_is_utc():
    settings = load_settings({"ADO_START_DATE": "2026-01-31T12:00:00"})

    assert datetime(2026, 1, 31, 12, tzinfo=UTC) == settings.start_date


def test_paths_stand_beside_the_warehouse():
    settings = load_settings({"ADO_WAREHOUSE": "some/where/contoso.duckdb"})

    assert (Path("some/where"), Path("some/where/landing")) == (settings.data, settings.landing)
