"""What the labels and milestones of a group are on a GitLab server (A 1 and A 2 of facts: platform-apis)."""

from __future__ import annotations

from tests.fakes.gitlab_model import DEVELOPER, PLANNER, Group, Json, Label, Milestone, forbidden, unknown, wrong
from tests.fakes.gitlab_world import World


def labels_in(world: World, group: Group) -> list[Label]:
    """A group's own, and those of all that is in it and above it (include_descendant_groups, all labels)."""
    projects = [one.id for one in world.projects_of(group)]
    groups = [one.id for one in world.groups.values() if group in world.above(one.id)]
    groups += [one.id for one in world.above(group.id)]
    return [one for one in world.labels.values() if one.project in projects or one.group in groups]


def milestone_of(world: World, group: Group, number: int) -> Milestone:
    """Under a group only its own milestones are found."""
    found = world.milestones.get(number)
    if found is None or found.group != group.id:
        raise unknown("Milestone")
    return found


def write_group_milestone(world: World, user: int, group: Group, number: int | None, params: Json) -> Milestone:
    """A 2: the same as a project's, by a role in the group. A title is unique in the group (source)."""
    found = milestone_of(world, group, number) if number is not None else None
    if world.level_in(user, group.id) < PLANNER:
        raise forbidden()
    if found is None and "title" not in params:
        raise wrong("title is missing")
    there = [one.title for one in world.milestones.values() if one.group == group.id and one is not found]
    world.check_values(params, found, there)
    made = found or world.make_group_milestone(group.id, "")
    before = repr(made)
    world.assign_milestone(made, params)
    if params.get("state_event") is not None:
        made.state = {"close": "closed", "activate": "active"}[params["state_event"]]
    if repr(made) != before:
        world.touch(made)
    return made


def delete_group_milestone(world: World, user: int, group: Group, number: int) -> None:
    found = milestone_of(world, group, number)
    if world.level_in(user, group.id) < DEVELOPER:  # its paper names this role (doc/api/group_milestones.md)
        raise forbidden()
    del world.milestones[found.id]
    for issue in world.issues.values():
        if issue.milestone == number:
            issue.milestone = None
