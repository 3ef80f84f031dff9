"""The declared tables against the data contract, the official API description and its examples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ado_assets.tables import TABLES, Column, Parent, Table, by_name
from ado_assets.tables.dictionary import markdown

SPEC = Path(__file__).parents[2] / "shared" / "ado" / "spec"
DICTIONARY = Path(__file__).parents[1] / "docs" / "dictionary.md"
needs_spec = pytest.mark.skipif(not SPEC.is_dir(), reason="the official API description is not beside the repository")

# Table: its key after organization, its connector, the table whose read brings it, the table it hangs under.
CONTRACT = {
    "projects": ("id", "core", "projects", None),
    "users": ("descriptor", "core", "users", None),
    "teams": ("id", "core", "teams", "projects"),
    "team_members": ("team_id id", "core", "team_members", "teams"),
    "iterations": ("project_id id", "boards", "iterations", "projects"),
    "areas": ("project_id id", "boards", "areas", "projects"),
    "work_item_type_categories": (
        "project_id reference_name",
        "boards",
        "work_item_type_categories",
        "projects",
    ),
    "work_item_types": ("project_id name", "boards", "work_item_types", "projects"),
    "work_item_type_states": ("project_id work_item_type name", "boards", "work_item_types", "work_item_types"),
    "work_item_fields": ("project_id reference_name", "boards", "work_item_fields", "projects"),
    "work_items": ("id", "boards", "work_items", "projects"),
    "work_item_relations": ("work_item_id rel url", "boards", "work_items", "work_items"),
    "work_item_updates": ("work_item_id id", "boards", "work_item_updates", "work_items"),
    "work_item_revisions": ("id rev", "boards", "work_item_revisions", "work_items"),
    "builds": ("project_id id", "pipelines", "builds", "projects"),
    "build_timeline_records": (
        "project_id build_id timeline_id id",
        "pipelines",
        "build_timeline_records",
        "builds",
    ),
    "releases": ("project_id id", "pipelines", "releases", "projects"),
    "release_environments": ("project_id release_id id", "pipelines", "releases", "releases"),
    "release_deployments": ("project_id id", "pipelines", "release_deployments", "releases"),
    "repositories": ("id", "repos", "repositories", "projects"),
    "pull_requests": ("repository_id pull_request_id", "repos", "pull_requests", "repositories"),
    "pull_request_reviewers": ("repository_id pull_request_id id", "repos", "pull_requests", "pull_requests"),
    "pull_request_labels": ("repository_id pull_request_id id", "repos", "pull_requests", "pull_requests"),
    "pull_request_iterations": (
        "repository_id pull_request_id id",
        "repos",
        "pull_request_iterations",
        "pull_requests",
    ),
    "pull_request_iteration_changes": (
        "repository_id pull_request_id iteration_id change_tracking_id",
        "repos",
        "pull_request_iteration_changes",
        "pull_request_iterations",
    ),
    "pull_request_threads": ("repository_id pull_request_id id", "repos", "pull_request_threads", "pull_requests"),
    "pull_request_comments": (
        "repository_id pull_request_id thread_id id",
        "repos",
        "pull_request_threads",
        "pull_request_threads",
    ),
    "pull_request_work_items": (
        "repository_id pull_request_id work_item_id",
        "repos",
        "pull_request_work_items",
        "pull_requests",
    ),
    "pull_request_commits": (
        "repository_id pull_request_id commit_id",
        "pull_commits",
        "pull_request_commits",
        "pull_requests",
    ),
    "commits": ("repository_id commit_id", "commits", "commits", "repositories"),
}

# Table: where the official description defines its record.
DEFINITIONS = {
    "users": ("graph", "GraphServicePrincipal"),
    "projects": ("core", "TeamProjectReference"),
    "teams": ("core", "WebApiTeam"),
    "team_members": ("core", "TeamMember"),
    "work_item_type_categories": ("wit", "WorkItemTypeCategory"),
    "work_item_types": ("wit", "WorkItemType"),
    "work_item_type_states": ("wit", "WorkItemStateColor"),
    "work_item_fields": ("wit", "WorkItemField2"),
    "work_items": ("wit", "WorkItem"),
    "work_item_relations": ("wit", "WorkItemRelation"),
    "work_item_updates": ("wit", "WorkItemUpdate"),
    "builds": ("build", "Build"),
    "build_timeline_records": ("build", "TimelineRecord"),
    "releases": ("release", "Release"),
    "release_environments": ("release", "ReleaseEnvironment"),
    "release_deployments": ("release", "Deployment"),
    "repositories": ("git", "GitRepository"),
    "pull_requests": ("git", "GitPullRequest"),
    "pull_request_labels": ("git", "WebApiTagDefinition"),
    "pull_request_iterations": ("git", "GitPullRequestIteration"),
    "pull_request_threads": ("git", "GitPullRequestCommentThread"),
    "pull_request_comments": ("git", "Comment"),
    "pull_request_work_items": ("git", "ResourceRef"),
    "pull_request_commits": ("git", "GitCommitRef"),
    "commits": ("git", "GitCommitRef"),
}

# Table: its official examples.
EXAMPLES = {
    "users": "graph/Users/GetAllUsers.json",
    "team_members": "core/members/*.json",
    "work_item_types": "wit/workItemTypes/GET__wit_workItemTypes.json",
    "work_item_fields": "wit/fields/GET__wit_fields.json",
    "work_items": "wit/workItems/GET__wit_WorkItems_ids*.json",
    "work_item_updates": "wit/updates/GET__list_of_workitem_updates*.json",
    "work_item_revisions": "wit/workItemRevisions/*.json",
    "releases": "release/releases/GET__GetARelease.json",
    "release_deployments": "release/deployments/*.json",
    "repositories": "git/repositories/GET__git_repositories.json",
    "pull_requests": "git/pullRequests/*.json",
    "pull_request_iteration_changes": "git/pullRequestIterationChanges/*.json",
    "pull_request_threads": "git/pullRequestThreads/*.json",
    "commits": "git/commits/GET__git_repositories__repositoryId__commits_branch.json",
}


def uncovered(table: Table, properties: set[str]) -> set[str]:
    """Those of a record's top-level *properties* that no column walks, no array table takes and nothing ignores."""
    walked = {column.path.split("/")[0] for column in table.columns}
    arrays = {other.array.split("/")[0] for other in TABLES.values() if other.feed == table.name}
    ignored = {path.removeprefix("**/") for path in table.ignored}
    return properties - walked - arrays - ignored


def defined(definitions: dict[str, Any], name: str) -> set[str]:
    """Properties of a definition and of those it extends."""
    inherited = [base["$ref"].rsplit("/", 1)[1] for base in definitions[name].get("allOf", []) if "$ref" in base]
    return set(definitions[name].get("properties", {})).union(*(defined(definitions, base) for base in inherited))


def sent(table: Table, pattern: str) -> set[str]:
    """Top-level properties of the records in the official examples."""
    properties: set[str] = set()
    for file in SPEC.joinpath("examples").glob(pattern):
        body = json.loads(file.read_text(encoding="utf-8-sig"))["responses"]["200"]["body"]
        records = body.get(table.records, [body])
        properties.update(*(record.keys() for record in records))
    return properties


def test_every_table_of_the_contract_is_declared():
    """Names, keys, connectors and relations are what people's queries and the streams stand on."""
    declared = {
        table.name: (
            " ".join(table.key),
            table.connector,
            table.feed_name,
            table.parent.table if table.parent else None,
        )
        for table in TABLES.values()
    }

    assert declared == CONTRACT


def test_only_organization_wide_tables_have_no_project():
    """Every row below a project says which."""
    without = {name for name, table in TABLES.items() if "project_id" not in {c.name for c in table.columns}}

    assert without == {name for name, table in TABLES.items() if table.unpartitioned} == {"projects", "users"}


def test_parents_and_feeds_come_first():
    """Whoever goes through TABLES in order meets a table after all it depends on."""
    order = list(TABLES)
    late = [
        table.name
        for table in TABLES.values()
        for other in (table.feed_name, table.parent.table if table.parent else table.name)
        if order.index(other) > order.index(table.name)
    ]

    assert late == []


@pytest.mark.parametrize("table", [table for table in TABLES.values() if table.parent], ids=lambda table: table.name)
def test_a_parent_is_joined_by_its_whole_key(table: Table):
    """Otherwise the rows of another parent would be flagged as deleted too."""
    assert table.parent
    parent = TABLES[table.parent.table]

    assert set(table.parent.columns.values()) == set(parent.key)
    assert {own: table.column(own).type for own in table.parent.columns} == {
        own: parent.column(other).type for own, other in table.parent.columns.items()
    }


@pytest.mark.parametrize("table", [table for table in TABLES.values() if table.feed], ids=lambda table: table.name)
def test_rows_of_an_array_need_only_what_their_page_has(table: Table):
    """They are landed with the main table's pages: their scope is that page's scope, their parent its record."""
    main = TABLES[table.feed]

    assert main.feed == ""
    assert set(table.scope_names()) <= set(main.scope_names())
    assert any(column.path.startswith("^") for column in table.columns if column.name in table.key)


@pytest.mark.parametrize("table", [table for table in TABLES.values() if not table.array], ids=lambda table: table.name)
def test_only_rows_of_an_array_look_up_to_a_parent_record(table: Table):
    """There is no enclosing record for any other."""
    assert [column.name for column in table.columns if column.path.startswith("^")] == []


def test_columns_are_written_without_quotes():
    """Names are snake_case, no reserved word of SQL, and never those that every table has anyway."""
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    reserved = {word for (word,) in duckdb.sql(query).fetchall()}
    names = [(table.name, column.name) for table in TABLES.values() for column in table.columns]

    assert "order" in reserved
    assert [n for n in names if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", n[1])] == []
    assert [n for n in names if n[1] in reserved | {"organization"}] == []


def test_no_column_repeats_the_path_of_another():
    """One value of the record has one column."""
    repeated = {table.name for table in TABLES.values() if len({c.path for c in table.columns}) < len(table.columns)}

    assert repeated == set()


def test_instants_say_their_time_zone():
    """A reader never has to guess."""
    silent = [
        (table.name, column.name)
        for table in TABLES.values()
        for column in table.columns
        if column.type == "TIMESTAMPTZ" and "UTC" not in column.about
    ]

    assert silent == []


def test_the_same_name_has_the_same_type_everywhere():
    """Queries over several tables need no casts, but where the API itself uses a word for several things."""
    types: dict[str, set[str]] = {}
    for table in TABLES.values():
        for column in table.columns:
            types.setdefault(column.name, set()).add(column.type)

    assert {name for name, of in types.items() if len(of) > 1} == {"id", "priority", "size", "tags"}


@needs_spec
@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_official_property_has_a_place(name: str):
    """A property of the official description is a column, a table of its own or openly ignored."""
    area, definition = DEFINITIONS[name]
    definitions = json.loads((SPEC / f"{area}.json").read_text(encoding="utf-8"))["definitions"]

    assert uncovered(TABLES[name], defined(definitions, definition)) == set()


@needs_spec
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_property_of_the_official_examples_has_a_place(name: str):
    """What the service was seen to send is a column, a table of its own or openly ignored."""
    properties = sent(TABLES[name], EXAMPLES[name])

    assert properties
    assert uncovered(TABLES[name], properties) == set()


def test_the_committed_dictionary_is_the_declared_one():
    """`ado-assets dictionary > docs/dictionary.md` was run after the last change."""
    assert DICTIONARY.read_text(encoding="utf-8") == markdown(TABLES.values())


def test_the_dictionary_keeps_bars_inside_their_cell():
    """A bar in a sentence would otherwise open a new cell."""
    table = Table(
        name="things",
        about="One row is a thing.",
        connector="core",
        source="core/7.1: GET things",
        key=("id",),
        columns=(Column("id", "BIGINT", "id", "Either a|b."),),
    )

    assert r"| `id` | BIGINT | `id` | Either a\|b. |" in markdown([table]).splitlines()


ID = Column("id", "BIGINT", "id", "Number of the thing.")


def thing(**changes: Any) -> Table:
    """A small valid table but for *changes*."""
    declared: dict[str, Any] = {
        "name": "things",
        "about": "One row is a thing.",
        "connector": "core",
        "source": "core/7.1: GET things",
        "key": ("id",),
        "columns": (ID,),
    }
    return Table(**{**declared, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": (ID, ID)}, "two columns share a name"),
        ({"key": ("id", "rev")}, r"key columns \['rev'\] are not declared"),
        ({"parent": Parent("others", {"other_id": "id"})}, r"parent columns \['other_id'\] are not declared"),
        ({"array": "parts"}, "need the feed that brings it"),
    ],
)
def test_a_wrong_declaration_is_refused(changes: dict[str, Any], message: str):
    """The mistake is named when the module is imported, not when rows arrive."""
    with pytest.raises(ValueError, match=message):
        thing(**changes)


def test_a_column_without_a_sentence_is_refused():
    """A column nobody explained does not get in."""
    with pytest.raises(ValueError, match="sentence that ends in a full stop"):
        Column("id", "BIGINT", "id", "number")


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([thing(), thing()], "two tables are called things"),
        ([thing(feed="others")], "things refers to others"),
        ([thing(parent=Parent("others", {"id": "id"}))], "things refers to others"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(tables: list[Table], message: str):
    """A feed or parent must be declared, and a name only once."""
    with pytest.raises(ValueError, match=message):
        by_name(tables)
