"""
Work items as they are now, their links, and their history as updates and revisions.

The typed columns taken out of a work item's ``fields`` are listed in ``work_item_columns``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import NAVIGATION, Column, Parent, Table, identity
from ado_assets.tables.work_item_columns import WORK_ITEM_FIELD_COLUMNS, field

_PROJECT: Final = Parent("projects", {"project_id": "id"})
_WORK_ITEM: Final = Parent("work_items", {"work_item_id": "id"})

WORK_ITEMS: Final = Table(
    name="work_items",
    about=(
        "One row is a work item as it is now. Well-known fields have columns of their own; `fields` holds all of them, "
        "custom ones included, by reference name. An item that moves to another project keeps its id."
    ),
    connector="boards",
    source=(
        "wit/7.1: GET _apis/wit/reporting/workitemrevisions; POST _apis/wit/wiql; "
        "GET _apis/wit/workitems?ids=…&$expand=all; GET _apis/wit/recyclebin"
    ),
    key=("id",),
    parent=_PROJECT,
    ignored=NAVIGATION,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project the item is in now."),
        Column("id", "BIGINT", "id", "Number of the item; unique in the organization."),
        Column("rev", "BIGINT", "rev", "Revision number; rises with every saved change of a field."),
        *WORK_ITEM_FIELD_COLUMNS,
        Column("fields", "JSON", "fields", "All fields that are set: reference name -> value, as the API sent them."),
        Column(
            "multiline_fields_format",
            "JSON",
            "multilineFieldsFormat",
            "Format of the long text fields: reference name -> html or markdown.",
        ),
        Column(
            "comment_version_ref_comment_id",
            "BIGINT",
            "commentVersionRef/commentId",
            "Comment written with the last revision; null when there was none.",
        ),
        Column("comment_version_ref_version", "BIGINT", "commentVersionRef/version", "Version of that comment's text."),
        Column(
            "comment_version_ref_created_in_revision",
            "BIGINT",
            "commentVersionRef/createdInRevision",
            "Revision in which that comment was first written.",
        ),
        Column(
            "comment_version_ref_is_deleted",
            "BOOLEAN",
            "commentVersionRef/isDeleted",
            "True when that comment was deleted.",
        ),
        Column("comment_version_ref_text", "VARCHAR", "commentVersionRef/text", "Text of that comment."),
    ),
)

WORK_ITEM_RELATIONS: Final = Table(
    name="work_item_relations",
    about=(
        "One row is a link of a work item: to another work item, to a commit, build or pull request, "
        "to a page or to an attached file. A link between two items has a row on each side."
    ),
    connector="boards",
    source="wit/7.1: GET _apis/wit/workitems?ids=…&$expand=all (relations)",
    key=("work_item_id", "rel", "url"),
    feed="work_items",
    array="relations",
    parent=_WORK_ITEM,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project the item is in now."),
        Column("work_item_id", "BIGINT", "^id", "Item that holds the link."),
        Column(
            "rel",
            "VARCHAR",
            "rel",
            "Kind of link: System.LinkTypes.… between items, ArtifactLink, Hyperlink or AttachedFile.",
        ),
        Column(
            "url", "VARCHAR", "url", "What it points to: API address of the other item, vstfs address, page or file."
        ),
        Column("name", "VARCHAR", "attributes/name", "Name of the kind of link, for example Parent, or of the file."),
        Column("comment", "VARCHAR", "attributes/comment", "Comment written on the link."),
        Column("is_locked", "BOOLEAN", "attributes/isLocked", "True when the link may not be removed."),
        Column(
            "authorized_date",
            "TIMESTAMPTZ",
            "attributes/authorizedDate",
            "When the link was made (UTC); links that are not between items.",
        ),
        Column(
            "resource_created_date",
            "TIMESTAMPTZ",
            "attributes/resourceCreatedDate",
            "When the linked resource or file was created (UTC).",
        ),
        Column(
            "resource_modified_date",
            "TIMESTAMPTZ",
            "attributes/resourceModifiedDate",
            "When the linked resource or file was last modified (UTC).",
        ),
        Column(
            "revised_date", "TIMESTAMPTZ", "attributes/revisedDate", "When the link ended (UTC); null while it holds."
        ),
        Column("resource_size", "BIGINT", "attributes/resourceSize", "Size of the attached file in bytes."),
        Column(
            "attributes_id", "BIGINT", "attributes/id", "Number of the link or file; links that are not between items."
        ),
        Column("attributes", "JSON", "attributes", "All attributes of the link as the API sent them."),
    ),
)

WORK_ITEM_UPDATES: Final = Table(
    name="work_item_updates",
    about=(
        "One row is one saved change of a work item: which fields went from what to what, and which links came and "
        "went. Append-only."
    ),
    connector="boards",
    source="wit/7.1: GET _apis/wit/workItems/{id}/updates",
    key=("work_item_id", "id"),
    parent=_WORK_ITEM,
    ignored=NAVIGATION,
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project the item is in now."),
        Column("work_item_id", "BIGINT", "workItemId", "Item that was changed."),
        Column("id", "BIGINT", "id", "Number of the update; rises from 1 in each item."),
        Column(
            "rev", "BIGINT", "rev", "Revision the item had after it; changes of links alone share the revision before."
        ),
        Column(
            "changed_date",
            "TIMESTAMPTZ",
            "fields/System.ChangedDate/newValue",
            "When the change was made (UTC); null for changes of links alone, see revised_date.",
        ),
        Column(
            "authorized_date",
            "TIMESTAMPTZ",
            "fields/System.AuthorizedDate/newValue",
            "When the change was authorized (UTC); stands in where changed_date is null.",
        ),
        Column(
            "revised_date",
            "TIMESTAMPTZ",
            "revisedDate",
            "When the next change replaced this one (UTC), not when this one was made; null while it is the last. "
            "For changes of links alone it is their own time.",
        ),
        *identity("revised_by", "revisedBy", "Who made the change"),
        Column("revised_by_name", "VARCHAR", "revisedBy/name", "Who made the change: old form, `Name <mail>`."),
        Column("state_from", "VARCHAR", "fields/System.State/oldValue", "State before, when the state changed."),
        Column("state_to", "VARCHAR", "fields/System.State/newValue", "State after, when the state changed."),
        Column(
            "fields",
            "JSON",
            "fields",
            "Fields that changed: reference name -> {oldValue, newValue}; no newValue means the field was cleared.",
        ),
        Column(
            "relations", "JSON", "relations", "Links that changed: {added, removed, updated}, each an array of links."
        ),
    ),
)

WORK_ITEM_REVISIONS: Final = Table(
    name="work_item_revisions",
    about="One row is a work item as it was after one of its revisions, with the fields the reporting feed gives.",
    connector="boards",
    source="wit/7.1: GET _apis/wit/reporting/workitemrevisions?includeDeleted=true&includeIdentityRef=true",
    key=("id", "rev"),
    records="values",
    parent=Parent("work_items", {"id": "id"}),
    ignored=NAVIGATION,
    # The feed sends an identity as an object or as the text `Name <mail>`, by its parameters and by the item's age.
    # JSON keeps either exactly; columns for the parts of the object would be empty for the text.
    columns=(
        Column("project_id", "VARCHAR", "@project_id", "GUID of the project the item was in at that revision."),
        Column("id", "BIGINT", "id", "Number of the work item."),
        Column("rev", "BIGINT", "rev", "Revision number; rises from 1 in each item."),
        field("team_project", "VARCHAR", "System.TeamProject", "Name of the project at that revision."),
        field("work_item_type", "VARCHAR", "System.WorkItemType", "Type at that revision."),
        field("title", "VARCHAR", "System.Title", "Title at that revision."),
        field("state", "VARCHAR", "System.State", "State at that revision."),
        field("reason", "VARCHAR", "System.Reason", "Reason of the state at that revision."),
        field("assigned_to", "JSON", "System.AssignedTo", "Whose it was: an identity, or the text `Name <mail>`."),
        field("area_path", "VARCHAR", "System.AreaPath", "Path of the area at that revision."),
        field("iteration_path", "VARCHAR", "System.IterationPath", "Path of the iteration at that revision."),
        field("board_column", "VARCHAR", "System.BoardColumn", "Column of the board at that revision."),
        field("board_column_done", "BOOLEAN", "System.BoardColumnDone", "True in the done half of a split column."),
        field("board_lane", "VARCHAR", "System.BoardLane", "Lane of the board at that revision."),
        field("tags", "VARCHAR", "System.Tags", "Tags at that revision, joined by `; `."),
        field("parent", "BIGINT", "System.Parent", "Parent item at that revision."),
        field("created_date", "TIMESTAMPTZ", "System.CreatedDate", "When the item was created (UTC)."),
        field("created_by", "JSON", "System.CreatedBy", "Who created it: an identity, or the text `Name <mail>`."),
        field("changed_date", "TIMESTAMPTZ", "System.ChangedDate", "When the revision was made (UTC)."),
        field(
            "changed_by", "JSON", "System.ChangedBy", "Who made the revision: an identity, or the text `Name <mail>`."
        ),
        field(
            "revised_date",
            "TIMESTAMPTZ",
            "System.RevisedDate",
            "When the next revision replaced it (UTC); null while it is the last.",
        ),
        field("is_deleted", "BOOLEAN", "System.IsDeleted", "True when the item was in the recycle bin."),
        field("priority", "BIGINT", "Microsoft.VSTS.Common.Priority", "Priority at that revision, 1 is the highest."),
        field("story_points", "DOUBLE", "Microsoft.VSTS.Scheduling.StoryPoints", "Story points at that revision."),
        field("effort", "DOUBLE", "Microsoft.VSTS.Scheduling.Effort", "Effort at that revision."),
        field("remaining_work", "DOUBLE", "Microsoft.VSTS.Scheduling.RemainingWork", "Hours of work left, then."),
        Column("fields", "JSON", "fields", "All fields the feed gave: reference name -> value."),
    ),
)
