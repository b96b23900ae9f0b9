"""Data of another tenant does not exist: its ids are answered exactly as ids that never existed."""

from domain.commands import AssignmentChange, AssignmentOp, ChangeAssignments
from tests.support.api import groups, people, roles

GROUPS = "/api/admin/users/v4/user-groups"
OWN = {"group": "own-group", "user": "own-user", "role": "own-role"}
THEIRS = {"group": "sales", "user": "ada", "role": "trainer"}
NEVER = "never-existed"


async def asked(stranger, group, user, role):
    """Every way in which the three ids can be sent."""
    one = f"{GROUPS}/{group}/assignments"
    batch = f"{GROUPS}/assignments/batch"
    ids = {"group_id": group, "user_id": user, "role_id": role}
    yield await stranger.call("GET", f"{one}/{user}/{role}")
    yield await stranger.call("DELETE", f"{one}/{user}/{role}")
    yield await stranger.call("POST", one, {"user_id": user, "role_id": role})
    yield await stranger.call("GET", one, params={"role_ids": role, "search_term": user})
    yield await stranger.call("GET", f"{GROUPS}/{group}/assignable-roles")
    yield await stranger.call(
        "POST", batch, {"items": [{"group_id": group, "body": {"user_id": user, "role_id": role}}]}
    )
    yield await stranger.call("DELETE", batch, {"items": [ids]})


async def test_another_tenant_s_ids_never_existed_in_any_place(api):
    stranger = await api.other_tenant("stranger")
    await stranger.arrange_together(groups("own-group"), people("own-user"), roles("own-role"))
    await api.arrange(
        ChangeAssignments(items=(AssignmentChange(op=AssignmentOp.CREATE, group="sales", user="ada", role="trainer"),))
    )
    for place, theirs in THEIRS.items():
        known = [answer async for answer in asked(stranger, **{**OWN, place: theirs})]
        unknown = [answer async for answer in asked(stranger, **{**OWN, place: NEVER})]
        for one, other in zip(known, unknown, strict=True):
            assert one.status_code == other.status_code
            assert one.text.replace(theirs, NEVER) == other.text
            assert set(one.headers) == set(other.headers)


async def test_two_tenants_may_use_the_same_keys(api):
    stranger = await api.other_tenant("stranger")
    await stranger.arrange_together(groups("sales"), people("ada"), roles("trainer"))
    for caller in (api, stranger):
        created = await caller.call("POST", f"{GROUPS}/sales/assignments", {"user_id": "ada", "role_id": "trainer"})
        assert created.status_code == 201
    await stranger.call("DELETE", f"{GROUPS}/sales/assignments/ada/trainer")
    assert (await api.call("GET", f"{GROUPS}/sales/assignments/ada/trainer")).status_code == 200
