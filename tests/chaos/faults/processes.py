"""Processes that end: killed, or replaced one after the other in good order."""

from tests.chaos.fleet import APIS, DATABASE, WORKERS, Member
from tests.chaos.scene import Scene

_STOP_LIMIT = 10.0
_LEADER = """
SELECT client_port
  FROM pg_locks JOIN pg_stat_activity USING (pid)
 WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = 5391002
"""


async def api_killed(scene: Scene) -> str:
    """One API process dies with its calls in its hands."""
    return _killed(scene, scene.fleet.members[scene.rng.choice(APIS)])


async def worker_killed(scene: Scene) -> str:
    """One worker dies."""
    return _killed(scene, scene.fleet.members[scene.rng.choice(WORKERS)])


async def relay_leader_killed(scene: Scene) -> str:
    """The worker that publishes dies."""
    leader = await relay_leader(scene)
    if leader is None:
        raise RuntimeError("no worker leads the relay")
    return _killed(scene, leader)


async def rolling_restart(scene: Scene) -> str:
    """Every process is asked to end, and replaced when it has ended, as a deployment does."""
    took = [((await scene.fleet.restart(member)).took, member.name) for member in scene.fleet.members.values()]
    longest, name = max(took)
    if longest > _STOP_LIMIT:
        raise RuntimeError(f"{name} took {longest:.1f} s to end")
    return f"all {len(took)} processes replaced, the slowest end took {longest:.1f} s ({name})"


async def relay_leader(scene: Scene) -> Member | None:
    """The worker that holds the relay's lock, found by the proxy that its session comes through."""
    ports = {row["client_port"] for row in await scene.ask(_LEADER)}
    workers = [scene.fleet.members[name] for name in WORKERS]
    return next((worker for worker in workers if worker.links[DATABASE].server_side_ports & ports), None)


def _killed(scene: Scene, member: Member) -> str:
    waiting = len(scene.load.book.open)
    scene.fleet.kill(member)
    return f"{member.name}, {waiting} calls on their way"
