"""
Typed columns taken out of a work item's ``fields``: all of ``System.*`` and the well-known ``Microsoft.VSTS.*``.

A column is called as its reference name ends, in snake_case. ``System.Id`` and ``System.Rev`` repeat the item's own
``id`` and ``rev`` and have none. Custom fields are in the JSON column ``fields``.
"""

from __future__ import annotations

from typing import Final

from ado_assets.tables.model import Column, ColumnType, identity

_COMMON: Final = "Microsoft.VSTS.Common"
_SCHEDULING: Final = "Microsoft.VSTS.Scheduling"
_TCM: Final = "Microsoft.VSTS.TCM"
_CMMI: Final = "Microsoft.VSTS.CMMI"
_BUILD: Final = "Microsoft.VSTS.Build"


def field(name: str, type_: ColumnType, reference_name: str, about: str) -> Column:
    """The column of the work item field *reference_name*."""
    return Column(name, type_, f"fields/{reference_name}", about)


def _levels(prefix: str, reference_name: str, of: str) -> tuple[Column, ...]:
    """The seven columns of a path's parts, for grouping by one level of the tree."""
    return tuple(
        field(f"{prefix}_level{n}", "VARCHAR", f"{reference_name}Level{n}", f"Part {n} of the {of} path.")
        for n in range(1, 8)
    )


_WHAT: Final = (
    field("title", "VARCHAR", "System.Title", "Title."),
    field("work_item_type", "VARCHAR", "System.WorkItemType", "Type, for example Bug or User Story."),
    field("state", "VARCHAR", "System.State", "State; its category is in work_item_type_states."),
    field("reason", "VARCHAR", "System.Reason", "Reason of the state."),
    *identity("assigned_to", "fields/System.AssignedTo", "Whose it is now"),
    field("team_project", "VARCHAR", "System.TeamProject", "Name of the project it is in."),
    field("tags", "VARCHAR", "System.Tags", "Tags, joined by `; `."),
    field("parent", "BIGINT", "System.Parent", "Number of the parent item."),
    field("description", "VARCHAR", "System.Description", "Description; HTML or Markdown."),
    field("history", "VARCHAR", "System.History", "Comment saved with the last revision; HTML or Markdown."),
    field("is_deleted", "BOOLEAN", "System.IsDeleted", "True while it is in the recycle bin."),
)

_WHERE: Final = (
    field("area_id", "BIGINT", "System.AreaId", "Integer id of its area; joins to areas.node_id in the project."),
    field("area_path", "VARCHAR", "System.AreaPath", "Path of its area, without the tree's name."),
    *_levels("area", "System.Area", "area"),
    field("node_name", "VARCHAR", "System.NodeName", "Last part of the area path."),
    field("iteration_id", "BIGINT", "System.IterationId", "Integer id of its iteration; joins to iterations.node_id."),
    field("iteration_path", "VARCHAR", "System.IterationPath", "Path of its iteration, without the tree's name."),
    *_levels("iteration", "System.Iteration", "iteration"),
    field("board_column", "VARCHAR", "System.BoardColumn", "Column it stands in on its team's board."),
    field("board_column_done", "BOOLEAN", "System.BoardColumnDone", "True in the done half of a split column."),
    field("board_lane", "VARCHAR", "System.BoardLane", "Lane it stands in on its team's board."),
)

_WHEN: Final = (
    field("created_date", "TIMESTAMPTZ", "System.CreatedDate", "When it was created (UTC)."),
    *identity("created_by", "fields/System.CreatedBy", "Who created it"),
    field("changed_date", "TIMESTAMPTZ", "System.ChangedDate", "When it was last changed (UTC)."),
    *identity("changed_by", "fields/System.ChangedBy", "Who changed it last"),
    field("authorized_date", "TIMESTAMPTZ", "System.AuthorizedDate", "When the last change was authorized (UTC)."),
    *identity("authorized_as", "fields/System.AuthorizedAs", "As whom the last change was authorized"),
    field(
        "revised_date", "TIMESTAMPTZ", "System.RevisedDate", "When the revision ends (UTC); null for the current one."
    ),
    field("state_change_date", "TIMESTAMPTZ", f"{_COMMON}.StateChangeDate", "When the state last changed (UTC)."),
    field("activated_date", "TIMESTAMPTZ", f"{_COMMON}.ActivatedDate", "When work on it began (UTC)."),
    *identity("activated_by", f"fields/{_COMMON}.ActivatedBy", "Who began work on it"),
    field("resolved_date", "TIMESTAMPTZ", f"{_COMMON}.ResolvedDate", "When it was resolved (UTC)."),
    *identity("resolved_by", f"fields/{_COMMON}.ResolvedBy", "Who resolved it"),
    field("resolved_reason", "VARCHAR", f"{_COMMON}.ResolvedReason", "Why it was resolved."),
    field("closed_date", "TIMESTAMPTZ", f"{_COMMON}.ClosedDate", "When it was closed (UTC)."),
    *identity("closed_by", f"fields/{_COMMON}.ClosedBy", "Who closed it"),
    *identity("reviewed_by", f"fields/{_COMMON}.ReviewedBy", "Who reviewed it"),
)

_COUNTS: Final = (
    field("comment_count", "BIGINT", "System.CommentCount", "Number of comments."),
    field("related_link_count", "BIGINT", "System.RelatedLinkCount", "Number of links to other work items."),
    field("external_link_count", "BIGINT", "System.ExternalLinkCount", "Number of links to commits, builds and such."),
    field("hyper_link_count", "BIGINT", "System.HyperLinkCount", "Number of links to pages."),
    field("attached_file_count", "BIGINT", "System.AttachedFileCount", "Number of attached files."),
    field("remote_link_count", "BIGINT", "System.RemoteLinkCount", "Number of links into other organizations."),
    field("person_id", "BIGINT", "System.PersonId", "Internal number of who made the last change."),
    field("watermark", "BIGINT", "System.Watermark", "Organization-wide number of the last change; rises with each."),
)

_PLANNING: Final = (
    field("priority", "BIGINT", f"{_COMMON}.Priority", "Priority; 1 is the highest."),
    field("severity", "VARCHAR", f"{_COMMON}.Severity", "Severity, for example 3 - Medium."),
    field("stack_rank", "DOUBLE", f"{_COMMON}.StackRank", "Place in the backlog (Agile, CMMI); smaller is higher."),
    field(
        "backlog_priority", "DOUBLE", f"{_COMMON}.BacklogPriority", "Place in the backlog (Scrum); smaller is higher."
    ),
    field("value_area", "VARCHAR", f"{_COMMON}.ValueArea", "Business or Architectural."),
    field("business_value", "BIGINT", f"{_COMMON}.BusinessValue", "Relative value for the business."),
    field("time_criticality", "DOUBLE", f"{_COMMON}.TimeCriticality", "How its value decays with time."),
    field("risk", "VARCHAR", f"{_COMMON}.Risk", "Risk, for example 2 - Medium."),
    field("activity", "VARCHAR", f"{_COMMON}.Activity", "Kind of work of a task, for example Development."),
    field("discipline", "VARCHAR", f"{_COMMON}.Discipline", "Kind of work of a task (CMMI)."),
    field("triage", "VARCHAR", f"{_COMMON}.Triage", "Stage of its triage."),
    field("rating", "VARCHAR", f"{_COMMON}.Rating", "Rating given in a feedback response."),
    field("issue", "VARCHAR", f"{_COMMON}.Issue", "Whether it stands for an issue: Yes or No."),
    field("state_code", "BIGINT", f"{_COMMON}.StateCode", "Internal code of a code review's state."),
    field("resolution", "VARCHAR", f"{_COMMON}.Resolution", "How it was resolved; HTML or Markdown."),
    field("acceptance_criteria", "VARCHAR", f"{_COMMON}.AcceptanceCriteria", "When it is done; HTML or Markdown."),
    field("story_points", "DOUBLE", f"{_SCHEDULING}.StoryPoints", "Estimate in story points (Agile)."),
    field("effort", "DOUBLE", f"{_SCHEDULING}.Effort", "Estimate in the team's own unit (Scrum; features and epics)."),
    field("size", "DOUBLE", f"{_SCHEDULING}.Size", "Estimate in the team's own unit (CMMI)."),
    field("original_estimate", "DOUBLE", f"{_SCHEDULING}.OriginalEstimate", "Work estimated at first, in hours."),
    field("remaining_work", "DOUBLE", f"{_SCHEDULING}.RemainingWork", "Work left, in hours."),
    field("completed_work", "DOUBLE", f"{_SCHEDULING}.CompletedWork", "Work done, in hours."),
    field("start_date", "TIMESTAMPTZ", f"{_SCHEDULING}.StartDate", "Planned start (UTC)."),
    field("finish_date", "TIMESTAMPTZ", f"{_SCHEDULING}.FinishDate", "Planned end (UTC)."),
    field("target_date", "TIMESTAMPTZ", f"{_SCHEDULING}.TargetDate", "Date it should be done by (UTC)."),
    field("due_date", "TIMESTAMPTZ", f"{_SCHEDULING}.DueDate", "Date it is due (UTC)."),
)

_QUALITY: Final = (
    field("repro_steps", "VARCHAR", f"{_TCM}.ReproSteps", "How to reproduce the bug; HTML or Markdown."),
    field("system_info", "VARCHAR", f"{_TCM}.SystemInfo", "Where the bug was seen; HTML or Markdown."),
    field("steps", "VARCHAR", f"{_TCM}.Steps", "Steps of a test case as XML."),
    field("parameters", "VARCHAR", f"{_TCM}.Parameters", "Parameters of a test case as XML."),
    field("local_data_source", "VARCHAR", f"{_TCM}.LocalDataSource", "Parameter values of a test case as XML."),
    field("automation_status", "VARCHAR", f"{_TCM}.AutomationStatus", "Whether a test case is automated."),
    field("automated_test_id", "VARCHAR", f"{_TCM}.AutomatedTestId", "Id of the automated test."),
    field("automated_test_name", "VARCHAR", f"{_TCM}.AutomatedTestName", "Name of the automated test."),
    field("automated_test_storage", "VARCHAR", f"{_TCM}.AutomatedTestStorage", "Assembly of the automated test."),
    field("automated_test_type", "VARCHAR", f"{_TCM}.AutomatedTestType", "Kind of the automated test."),
    field("test_suite_type", "VARCHAR", f"{_TCM}.TestSuiteType", "Static, query based or requirement based."),
    field("test_suite_type_id", "BIGINT", f"{_TCM}.TestSuiteTypeId", "Number of the test suite's type."),
    field("test_suite_audit", "VARCHAR", f"{_TCM}.TestSuiteAudit", "What changed in the test suite."),
    field("query_text", "VARCHAR", f"{_TCM}.QueryText", "Query of a query based test suite."),
    field("found_in", "VARCHAR", f"{_BUILD}.FoundIn", "Build in which the bug was found."),
    field("integration_build", "VARCHAR", f"{_BUILD}.IntegrationBuild", "Build in which it was fixed or delivered."),
    field("blocked", "VARCHAR", f"{_CMMI}.Blocked", "Yes while nothing can be done on it."),
    field("committed", "VARCHAR", f"{_CMMI}.Committed", "Whether the requirement is committed: Yes or No."),
    field("escalate", "VARCHAR", f"{_CMMI}.Escalate", "Whether the issue is escalated: Yes or No."),
    field("found_in_environment", "VARCHAR", f"{_CMMI}.FoundInEnvironment", "Environment the bug was found in."),
    field("how_found", "VARCHAR", f"{_CMMI}.HowFound", "How the bug was found."),
    field("probability", "BIGINT", f"{_CMMI}.Probability", "How likely the risk is, 1 to 99."),
    field("proposed_fix", "VARCHAR", f"{_CMMI}.ProposedFix", "Fix proposed for the bug; HTML or Markdown."),
    field("requirement_type", "VARCHAR", f"{_CMMI}.RequirementType", "Kind of requirement, for example Functional."),
    field("requires_review", "VARCHAR", f"{_CMMI}.RequiresReview", "Whether the task needs a review: Yes or No."),
    field("requires_test", "VARCHAR", f"{_CMMI}.RequiresTest", "Whether the task needs a test: Yes or No."),
    field("root_cause", "VARCHAR", f"{_CMMI}.RootCause", "Cause of the bug, for example Coding Error."),
    field("symptom", "VARCHAR", f"{_CMMI}.Symptom", "What the bug looks like; HTML or Markdown."),
    field("task_type", "VARCHAR", f"{_CMMI}.TaskType", "Corrective, mitigation or planned."),
    field("user_acceptance_test", "VARCHAR", f"{_CMMI}.UserAcceptanceTest", "Stage of the user acceptance test."),
)

#: Every typed column of a work item's fields, in the order people look for them.
WORK_ITEM_FIELD_COLUMNS: Final = (*_WHAT, *_WHERE, *_WHEN, *_PLANNING, *_COUNTS, *_QUALITY)
