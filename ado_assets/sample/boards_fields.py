"""The work item fields of the organization and what the field answers show of them. Types are in boards_processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COMPARISONS = (("Equals", "="), ("NotEquals", "<>"), ("GreaterThan", ">"), ("LessThan", "<"), ("In", "In"))
TEXT_OPERATIONS = (("Equals", "="), ("NotEquals", "<>"), ("Contains", "Contains"), ("In", "In"))
TREE_OPERATIONS = (("Under", "Under"), ("NotUnder", "Not Under"), ("Equals", "="), ("NotEquals", "<>"), ("In", "In"))
LONG_OPERATIONS = (("ContainsWords", "Contains Words"), ("NotContainsWords", "Does Not Contain Words"))
OPERATIONS = {
    "treePath": TREE_OPERATIONS,
    "html": LONG_OPERATIONS,
    "plainText": LONG_OPERATIONS,
    "integer": COMPARISONS,
    "double": COMPARISONS,
    "dateTime": COMPARISONS,
}
LONG_TYPES = frozenset({"html", "plainText", "history"})


@dataclass(frozen=True)
class Field:
    """One field definition. *type* is the service's FieldType; an identity may be typed string, as old ones are."""

    reference_name: str
    name: str
    type: str
    read_only: bool = False
    identity: bool = False
    picklist: bool = False
    deleted: bool = False
    description: str = ""


def _declared(prefix: str, text: str, *, read_only: bool = False, identity: bool = False) -> list[Field]:
    """Read ``Name:Display Name:type`` lines."""
    fields = []
    for line in text.strip().splitlines():
        name, display, kind = line.strip().split(":")
        fields.append(Field(f"{prefix}.{name}", display, kind, read_only, identity))
    return fields


FIELDS: tuple[Field, ...] = tuple(
    _declared(
        "System",
        """Id:ID:integer
        Rev:Rev:integer
        AreaId:Area ID:integer
        IterationId:Iteration ID:integer
        NodeName:Node Name:string
        AreaLevel1:Area Level 1:string
        AreaLevel2:Area Level 2:string
        AreaLevel3:Area Level 3:string
        AreaLevel4:Area Level 4:string
        IterationLevel1:Iteration Level 1:string
        IterationLevel2:Iteration Level 2:string
        IterationLevel3:Iteration Level 3:string
        IterationLevel4:Iteration Level 4:string
        TeamProject:Team Project:string
        CreatedDate:Created Date:dateTime
        ChangedDate:Changed Date:dateTime
        AuthorizedDate:Authorized Date:dateTime
        RevisedDate:Revised Date:dateTime
        PersonId:Person ID:integer
        Watermark:Watermark:integer
        CommentCount:Comment Count:integer
        IsDeleted:Is Deleted:boolean
        Parent:Parent:integer
        ExternalLinkCount:External Link Count:integer
        HyperLinkCount:Hyperlink Count:integer""",
        read_only=True,
    )
    + _declared(
        "System",
        """CreatedBy:Created By:string
        ChangedBy:Changed By:string
        AuthorizedAs:Authorized As:string""",
        read_only=True,
        identity=True,
    )
    + _declared("System", "AssignedTo:Assigned To:string", identity=True)
    + _declared(
        "System",
        """Title:Title:string
        State:State:string
        Reason:Reason:string
        WorkItemType:Work Item Type:string
        AreaPath:Area Path:treePath
        IterationPath:Iteration Path:treePath
        Tags:Tags:plainText
        Description:Description:html
        History:History:history""",
    )
    + _declared(
        "Microsoft.VSTS.Common",
        """Priority:Priority:integer
        Severity:Severity:string
        ValueArea:Value Area:string
        StackRank:Stack Rank:double
        Activity:Activity:string
        AcceptanceCriteria:Acceptance Criteria:html
        StateChangeDate:State Change Date:dateTime
        ActivatedDate:Activated Date:dateTime
        ResolvedDate:Resolved Date:dateTime
        ClosedDate:Closed Date:dateTime""",
    )
    + _declared(
        "Microsoft.VSTS.Common",
        """ActivatedBy:Activated By:string
        ResolvedBy:Resolved By:string
        ClosedBy:Closed By:string""",
        identity=True,
    )
    + _declared(
        "Microsoft.VSTS.Scheduling",
        """StoryPoints:Story Points:double
        Effort:Effort:double
        OriginalEstimate:Original Estimate:double
        RemainingWork:Remaining Work:double
        CompletedWork:Completed Work:double
        TargetDate:Target Date:dateTime""",
    )
    + _declared("Microsoft.VSTS.TCM", "ReproSteps:Repro Steps:html")
    + _declared(
        "Custom",
        """TicketNumber:Ticket Number:string
        CustomerCount:Customer Count:integer
        RiskScore:Risk Score:double
        GoLive:Go Live:dateTime
        NeedsSecurityReview:Needs Security Review:boolean
        BusinessCase:Business Case:html
        ReleaseNotes:Release Notes:plainText
        SourceArea:Source Area:treePath
        OriginId:Origin Id:guid""",
    )
    + [
        Field("Custom.ProductOwner", "Product Owner", "identity", identity=True),
        Field("Custom.CustomerTier", "Customer Tier", "picklistString", picklist=True),
        Field("Custom.Legacy", "Legacy", "string", deleted=True, description="No longer used."),
    ]
)
TIERS = ("Gold", "Silver", "Bronze", "Öffentlich")
IDENTITY_FIELDS = frozenset(field.reference_name for field in FIELDS if field.identity)


def render_field(field: Field, base_url: str, picklist_id: str, project_id: str | None) -> dict[str, Any]:
    """Return a WorkItemField; the URL carries the project when the request did."""
    scope = f"{base_url}/{project_id}" if project_id else base_url
    row: dict[str, Any] = {
        "name": field.name,
        "referenceName": field.reference_name,
        "description": field.description or None,
        "type": field.type,
        "usage": "workItem",
        "readOnly": field.read_only,
        "canSortBy": field.type not in LONG_TYPES,
        "isQueryable": True,
        "supportedOperations": [
            {"referenceName": f"SupportedOperations.{name}", "name": sign}
            for name, sign in OPERATIONS.get(field.type, TEXT_OPERATIONS)
        ],
        "isIdentity": field.identity,
        "isPicklist": field.picklist,
        "isPicklistSuggested": False,
        "isDeleted": field.deleted,
        "isLocked": False,
        "url": f"{scope}/_apis/wit/fields/{field.reference_name}",
    }
    if field.picklist:
        row["picklistId"] = picklist_id
    if row["description"] is None:
        del row["description"]
    return row
