"""The lists by keyset: complete, in order, by tenant, and cut where they must be."""

import pytest

from domain.events import EventType
from domain.sources import Source
from infra.postgres.reads import assignments, directory, events, operations, pages
from infra.postgres.reads.assignments import AssignmentFilter, UnknownGroupError, UnknownUserError
from infra.postgres.reads.directory import UserFilter
from infra.postgres.reads.events import EventsExpiredError
from infra.postgres.reads.operations import OperationFilter
from tests.support.directory import (
    add_events,
    add_groups,
    add_members,
    add_operations,
    add_people,
    add_role,
)


async def all_users(database, tenant_id, *, limit, **wanted):
    found, after, lengths = [], 0, []
    while True:
        page = await directory.page_of_users(database, tenant_id, wanted=UserFilter(**wanted), after=after, limit=limit)
        found += [user.key for user in page.items]
        lengths.append(len(page.items))
        if page.next is None:
            return found, lengths
        (after,) = page.next


async def test_pages_of_users_join_to_the_whole_list_without_a_repetition(database, sql, tenant, stranger):
    await add_people(sql, tenant.id, 25)
    await add_people(sql, stranger.id, 5)
    found, lengths = await all_users(database, tenant.id, limit=10)
    assert found == [f"u{n}" for n in range(1, 26)]
    assert lengths == [10, 10, 5]


async def test_a_list_that_ends_with_a_full_page_says_that_it_ends(database, sql, tenant):
    await add_people(sql, tenant.id, 20)
    assert (await all_users(database, tenant.id, limit=10))[1] == [10, 10]


async def test_users_are_filtered_by_department_state_name_and_group(database, sql, tenant):
    await add_people(sql, tenant.id, 40)
    await add_groups(sql, tenant.id, 2)
    await add_members(sql, tenant.id, "g2", 12)
    assert (await all_users(database, tenant.id, limit=2, department="Department 3"))[0] == ["u3", "u13", "u23", "u33"]
    assert (await all_users(database, tenant.id, limit=3, active=False, department="Department 0"))[0] == [
        "u10", "u20", "u30", "u40",
    ]  # fmt: skip
    assert (await all_users(database, tenant.id, limit=5, username="uSeR7"))[0] == ["u7"]
    assert (await all_users(database, tenant.id, limit=5, email="U8@EXAMPLE.ORG"))[0] == ["u8"]
    assert (await all_users(database, tenant.id, limit=5, email="U8@EXAMPLE.ORG", username="user7"))[0] == []
    assert (await all_users(database, tenant.id, limit=5, group="g2"))[0] == [f"u{n}" for n in range(1, 13)]
    assert (await all_users(database, tenant.id, limit=5, group="g2", active=False))[0] == ["u5", "u10"]
    assert (await all_users(database, tenant.id, limit=5, group="g2", username="USER20"))[0] == []


async def test_a_filter_that_fits_few_goes_on_over_empty_pages(database, sql, tenant, monkeypatch):
    monkeypatch.setattr(pages, "WINDOW", 10)
    await add_people(sql, tenant.id, 35)
    await sql.execute("UPDATE app_user SET department = 'Rare' WHERE key IN ('u2', 'u34')")
    found, lengths = await all_users(database, tenant.id, limit=5, department="Rare")
    assert found == ["u2", "u34"]
    assert lengths == [1, 0, 0, 1]


async def test_an_unknown_group_or_one_of_another_tenant_is_none(database, sql, tenant, stranger):
    await add_groups(sql, stranger.id, 1)
    for key in ("g1", "nothing"):
        wanted = UserFilter(group=key)
        assert await directory.page_of_users(database, tenant.id, wanted=wanted, after=0, limit=5) is None


async def test_single_reads_know_their_tenant(database, sql, tenant, stranger):
    await add_people(sql, tenant.id, 1)
    await add_groups(sql, tenant.id, 1)
    await sql.execute("UPDATE app_user SET primary_group_id = (SELECT id FROM user_group), attributes = '{\"a\": [1]}'")
    user = await directory.find_user(database, tenant.id, "u1")
    assert (user.username, user.primary_group, user.attributes) == ("User1", "g1", {"a": [1]})
    assert (await directory.find_group(database, tenant.id, "g1")).name == "Group 1"
    assert (await directory.find_role(database, tenant.id, "member")).titles["de"] == "Mitglied"
    assert await directory.find_user(database, stranger.id, "u1") is None
    assert await directory.find_group(database, stranger.id, "g1") is None
    assert await directory.find_role(database, stranger.id, "lead") is None


async def test_groups_and_roles_are_listed_and_filtered(database, sql, tenant):
    await add_groups(sql, tenant.id, 3)
    await add_role(sql, tenant.id, "lead")
    await sql.execute("UPDATE role SET permission_scope = 'COURSES' WHERE key = 'lead'")
    page = await directory.page_of_groups(database, tenant.id, name=None, after=0, limit=2)
    assert [group.key for group in page.items] == ["g1", "g2"]
    rest = await directory.page_of_groups(database, tenant.id, name=None, after=page.next[0], limit=2)
    assert ([group.key for group in rest.items], rest.next) == (["g3"], None)
    named = await directory.page_of_groups(database, tenant.id, name="Group 2", after=0, limit=2)
    assert [group.key for group in named.items] == ["g2"]
    roles = await directory.page_of_roles(database, tenant.id, permission_scope="COURSES", after=0, limit=2)
    assert [role.key for role in roles.items] == ["lead"]


async def all_assignments(database, tenant_id, *, limit=3, **wanted):
    found, after = [], assignments.FIRST_PLACE
    while True:
        page = await assignments.page_of_assignments(
            database, tenant_id, wanted=AssignmentFilter(**wanted), after=after, limit=limit
        )
        found += [(row.group_key, row.user_key) for row in page.items]
        if page.next is None:
            return found
        after = page.next


async def test_assignments_are_listed_by_tenant_group_and_person(database, sql, tenant, stranger):
    await add_people(sql, tenant.id, 5)
    await add_groups(sql, tenant.id, 3)
    for group, count, sources in (("g1", 5, Source.MANUAL), ("g2", 2, Source.RULE | Source.MANUAL), ("g3", 1, 8)):
        await add_members(sql, tenant.id, group, count, sources=int(sources))
    everything = [("g1", f"u{n}") for n in range(1, 6)] + [("g2", "u1"), ("g2", "u2"), ("g3", "u1")]
    assert await all_assignments(database, tenant.id) == everything
    assert await all_assignments(database, tenant.id, group="g1") == everything[:5]
    assert await all_assignments(database, tenant.id, user="u1") == [("g1", "u1"), ("g2", "u1"), ("g3", "u1")]
    assert await all_assignments(database, tenant.id, user="u1", group="g2") == [("g2", "u1")]
    assert await all_assignments(database, tenant.id, source=Source.RULE) == [("g2", "u1"), ("g2", "u2")]
    assert await all_assignments(database, tenant.id, source=Source.PRIMARY, user="u1") == [("g3", "u1")]
    assert await all_assignments(database, stranger.id) == []


async def test_assignments_of_unknown_groups_and_users_are_errors_of_their_own(database, sql, tenant, stranger):
    await add_people(sql, tenant.id, 1)
    await add_groups(sql, tenant.id, 1)
    with pytest.raises(UnknownGroupError):
        await all_assignments(database, stranger.id, group="g1")
    with pytest.raises(UnknownUserError):
        await all_assignments(database, stranger.id, user="u1")


async def test_operations_are_listed_newest_first_and_filtered(database, sql, tenant, stranger):
    await add_operations(sql, tenant.id, 25)
    found, before = [], operations.NEWEST
    while before is not None:
        page = await operations.page_of_operations(
            database, tenant.id, wanted=OperationFilter(), before=before, limit=10
        )
        found += page.items
        before = None if page.next is None else page.next[0]
    newest_first = await sql.fetch("SELECT id FROM operation ORDER BY seq DESC")
    assert [row.id for row in found] == [row["id"] for row in newest_first]
    failed = await operations.page_of_operations(
        database, tenant.id, wanted=OperationFilter(statuses=["failed"], kinds=["users.put"]), limit=10
    )
    assert [(row.kind, row.status.value) for row in failed.items] == [("users.put", "failed")] * 2
    later = OperationFilter(since=found[0].accepted_at.replace(year=found[0].accepted_at.year + 1))
    assert (await operations.page_of_operations(database, tenant.id, wanted=later, limit=10)).items == []
    assert await operations.find_operation(database, stranger.id, found[0].id) is None


async def follow(database, tenant_id, *, after=0, limit=100, types=None):
    found = []
    while True:
        page = await events.page_of_events(database, tenant_id, after=after, limit=limit, types=types)
        found += page.events
        assert len(page.events) <= limit
        if page.next == after:
            return found
        after = page.next


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
async def test_the_log_is_gapless_and_equals_the_messages_to_the_byte(database, sql, tenant, limit):
    bodies = await add_events(
        sql,
        tenant.id,
        "acme",
        (EventType.USER_UPDATED, 130),
        (EventType.OPERATION_FINISHED, 1),
        (EventType.USER_UPDATED, 20),
    )
    found = await follow(database, tenant.id, limit=limit)
    assert [event.sequence for event in found] == list(range(1, 152))
    assert b"".join(b"[" + b",\n".join(event.body for event in found[a:b]) + b"]" for a, b in
                    [(0, 100), (100, 130), (130, 131), (131, 151)]) == b"".join(bodies)  # fmt: skip


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_the_log_of_some_types_passes_over_the_others(database, sql, tenant, limit):
    await add_events(
        sql,
        tenant.id,
        "acme",
        (EventType.USER_UPDATED, 130),
        (EventType.GROUP_UPDATED, 3),
        (EventType.USER_UPDATED, 5),
        (EventType.OPERATION_FINISHED, 2),
    )
    found = await follow(database, tenant.id, limit=limit, types=["group.updated", "operation.finished"])
    assert [event.sequence for event in found] == [131, 132, 133, 139, 140]
    page = await events.page_of_events(database, tenant.id, after=0, limit=100, types=["user.deleted"])
    assert (page.events, page.next) == ([], 140)


async def test_a_log_begins_in_the_middle_of_a_message_where_it_is_asked_to(database, sql, tenant):
    await add_events(sql, tenant.id, "acme", (EventType.USER_UPDATED, 250))
    page = await events.page_of_events(database, tenant.id, after=199, limit=2)
    assert ([event.sequence for event in page.events], page.next) == ([200, 201], 201)
    page = await events.page_of_events(database, tenant.id, after=250, limit=2)
    assert (page.events, page.next, page.head) == ([], 250, 250)


async def test_what_retention_removed_is_an_error_that_names_the_earliest(database, sql, tenant):
    await add_events(sql, tenant.id, "acme", (EventType.USER_UPDATED, 250))
    await sql.execute("DELETE FROM outbox WHERE first_sequence = 1")
    for types in (None, ["user.updated"]):
        with pytest.raises(EventsExpiredError) as expired:
            await events.page_of_events(database, tenant.id, after=0, limit=2, types=types)
        assert expired.value.earliest == 101
        page = await events.page_of_events(database, tenant.id, after=None, limit=2, types=types)
        assert [event.sequence for event in page.events] == [101, 102]
    await sql.execute("DELETE FROM outbox")
    with pytest.raises(EventsExpiredError) as expired:
        await events.page_of_events(database, tenant.id, after=249, limit=2)
    assert expired.value.earliest == 251
    assert (await events.page_of_events(database, tenant.id, after=250, limit=2)).events == []


async def test_a_gap_in_the_middle_is_never_passed_over(database, sql, tenant):
    await add_events(sql, tenant.id, "acme", (EventType.USER_UPDATED, 300))
    await sql.execute("DELETE FROM outbox WHERE first_sequence = 101")
    page = await events.page_of_events(database, tenant.id, after=0, limit=1000)
    assert (len(page.events), page.next) == (100, 100)
    with pytest.raises(EventsExpiredError) as expired:
        await events.page_of_events(database, tenant.id, after=page.next, limit=1000)
    assert expired.value.earliest == 201


async def test_heads_tell_how_far_each_log_reaches(database, sql, tenant, stranger):
    await add_events(sql, tenant.id, "acme", (EventType.USER_UPDATED, 3))
    assert await events.heads(database, [tenant.id, stranger.id]) == {tenant.id: 3, stranger.id: 0}
