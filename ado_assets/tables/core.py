"""
Tables every connector stands on: users, projects, teams and their members.

What belongs to one area only (boards, pipelines, repos, commits) is declared in the module of that name.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table

USERS: Final = Table(
    name="users",
    about=(
        "One row is a person, service identity or service principal known to the organization's directory. "
        "Identities in other tables join on their descriptor."
    ),
    connector="core",
    source="graph/7.1-preview.1: GET _apis/graph/users; GET _apis/graph/serviceprincipals",
    key=("descriptor",),
    unpartitioned=True,
    ignored=NAVIGATION,
    columns=(
        Column("descriptor", "VARCHAR", "descriptor", "Reference of the subject in the graph, for example aad.MDA0…."),
        Column("display_name", "VARCHAR", "displayName", "Name as shown; not unique."),
        Column("principal_name", "VARCHAR", "principalName", "Sign-in name given by the source directory."),
        Column("mail_address", "VARCHAR", "mailAddress", "Mail address of record; may be empty."),
        Column("subject_kind", "VARCHAR", "subjectKind", "Kind of subject: user or servicePrincipal."),
        Column("origin", "VARCHAR", "origin", "Directory it comes from: aad, msa, ad or vsts."),
        Column("origin_id", "VARCHAR", "originId", "Id in the directory it comes from (GUID, SID or object id)."),
        Column("domain", "VARCHAR", "domain", "Container of origin, for example the tenant GUID or Windows Live ID."),
        Column("directory_alias", "VARCHAR", "directoryAlias", "Short, mostly unique name in the backing directory."),
        Column("meta_type", "VARCHAR", "metaType", "Type of the user in the origin: member, guest and others."),
        Column("application_id", "VARCHAR", "applicationId", "Application (client) GUID; service principals only."),
        Column("is_deleted_in_origin", "BOOLEAN", "isDeletedInOrigin", "True when the source directory deleted it."),
        Column("legacy_descriptor", "VARCHAR", "legacyDescriptor", "Descriptor of the old identity service."),
    ),
)

PROJECTS: Final = Table(
    name="projects",
    about="One row is a team project of the organization, in any state.",
    connector="core",
    source="core/7.1: GET _apis/projects?stateFilter=all",
    key=("id",),
    unpartitioned=True,
    ignored=(*NAVIGATION, "defaultTeamImageUrl"),
    columns=(
        Column("id", "VARCHAR", "id", "GUID of the project; stays when the project is renamed."),
        Column(
            "name", "VARCHAR", "name", "Name of the project; unique in the organization, may change.", required=True
        ),
        Column("description", "VARCHAR", "description", "Description, if any."),
        Column("abbreviation", "VARCHAR", "abbreviation", "Abbreviation, if any."),
        Column(
            "state",
            "VARCHAR",
            "state",
            "wellFormed while usable; else new, createPending, deleting or deleted.",
        ),
        Column("visibility", "VARCHAR", "visibility", "Who may see it: private or public."),
        Column("revision", "BIGINT", "revision", "Number that rises when the project itself is edited."),
        Column("last_update_time", "TIMESTAMPTZ", "lastUpdateTime", "When the project itself was last edited (UTC)."),
    ),
)

TEAMS: Final = Table(
    name="teams",
    about="One row is a team of a project.",
    connector="core",
    source="core/7.1: GET _apis/projects/{project}/teams",
    key=("id",),
    parent=Parent("projects", {"project_id": "id"}),
    ignored=(*NAVIGATION, "identityUrl", "projectId", "projectName"),
    columns=(
        Column("id", "VARCHAR", "id", "GUID of the team; also its identity's storage key."),
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project the team belongs to.", required=True),
        Column("name", "VARCHAR", "name", "Name of the team; unique in the project."),
        Column("description", "VARCHAR", "description", "Description, if any."),
        Column("identity", "JSON", "identity", "The team's identity as sent; only when the API expands it."),
    ),
)

TEAM_MEMBERS: Final = Table(
    name="team_members",
    about="One row is the direct membership of an identity (person, service or group) in a team.",
    connector="core",
    source="core/7.1: GET _apis/projects/{project}/teams/{team}/members",
    key=("team_id", "id"),
    parent=Parent("teams", {"team_id": "id"}),
    ignored=NAVIGATION,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project the team belongs to.", required=True),
        Column("team_id", "VARCHAR", "@team_id", "GUID of the team."),
        Column("id", "VARCHAR", "identity/id", "Storage key (GUID) of the member's identity."),
        Column("display_name", "VARCHAR", "identity/displayName", "Member's name as shown."),
        Column("unique_name", "VARCHAR", "identity/uniqueName", "Member's mail, account name or service GUID."),
        Column("descriptor", "VARCHAR", "identity/descriptor", "Member's descriptor; joins to users."),
        Column("is_team_admin", "BOOLEAN", "isTeamAdmin", "True for an administrator of the team; null means no."),
        Column("is_container", "BOOLEAN", "identity/isContainer", "True when the member is a group, not a person."),
        Column("inactive", "BOOLEAN", "identity/inactive", "True when the identity is not active any more."),
        Column("is_aad_identity", "BOOLEAN", "identity/isAadIdentity", "True when it comes from Microsoft Entra ID."),
        Column(
            "is_deleted_in_origin",
            "BOOLEAN",
            "identity/isDeletedInOrigin",
            "True when the source directory deleted it.",
        ),
        Column("directory_alias", "VARCHAR", "identity/directoryAlias", "Short name in the backing directory."),
    ),
)
