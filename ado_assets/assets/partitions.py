"""Partitions: one per project, by the name people know. State is kept by project id, so a rename loses nothing."""

import dagster as dg

PROJECTS = dg.DynamicPartitionsDefinition(name="projects")


def follow_projects(instance: dg.DagsterInstance, names: set[str]) -> tuple[list[str], list[str]]:
    """
    Make the partitions equal to the projects that can be read; (added, removed).

    Removing a partition removes nothing from the warehouse and no event from the instance.
    """
    held = set(instance.get_dynamic_partitions(str(PROJECTS.name)))
    added, removed = sorted(names - held), sorted(held - names)
    if added:
        instance.add_dynamic_partitions(str(PROJECTS.name), added)
    for name in removed:
        instance.delete_dynamic_partition(str(PROJECTS.name), name)
    return added, removed
