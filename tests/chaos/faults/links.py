"""What networks do: each kind of link is cut, goes silent, and breaks in the middle of a message.

One rule: one kind of link after the other, those of all its processes at once or of one alone, as the seed says.
"""

import asyncio

from tests.chaos.fleet import BROKER, CALLERS, DATABASE
from tests.chaos.scene import Scene
from tests.support.tcp_proxy import TcpProxy

_KINDS = (CALLERS, DATABASE, BROKER)
_REFUSED_SECONDS, _SILENT_SECONDS, _RESET_SECONDS = 1.0, 4.0, 1.5
_FEWEST_BYTES, _MOST_BYTES = 300, 20_000


async def cut(scene: Scene) -> str:
    """Every connection is reset, and for a second so is every new one."""
    for kind in _KINDS:
        proxies = scene.fleet.links(kind)
        for proxy in proxies:
            proxy.cut(refuse=True)
        await asyncio.sleep(_REFUSED_SECONDS)
        for proxy in proxies:
            proxy.heal()
    return f"{', '.join(_KINDS)}: {_REFUSED_SECONDS:.0f} s each"


async def silent(scene: Scene) -> str:
    """Nothing is passed on, and nothing is closed: some of the processes alone, so that others go on."""
    for kind in _KINDS:
        proxies = _some(scene, kind)
        for proxy in proxies:
            proxy.black_hole()
        await asyncio.sleep(_SILENT_SECONDS)
        for proxy in proxies:
            proxy.cut()  # what was held back is lost, as it would be
            proxy.heal()
    return f"{', '.join(_KINDS)}: {_SILENT_SECONDS:.0f} s each"


async def reset(scene: Scene) -> str:
    """All connections of a proxy are reset, whenever so many bytes have gone through it."""
    resets = 0
    for kind in _KINDS:
        proxies = scene.fleet.links(kind)
        before = sum(proxy.resets for proxy in proxies)
        for proxy in proxies:
            proxy.reset_every(scene.rng.randint(_FEWEST_BYTES, _MOST_BYTES))
        await asyncio.sleep(_RESET_SECONDS)
        for proxy in proxies:
            proxy.reset_never()
        resets += sum(proxy.resets for proxy in proxies) - before
    return f"{resets} resets after {_FEWEST_BYTES} to {_MOST_BYTES:,} bytes"


def _some(scene: Scene, kind: str) -> list[TcpProxy]:
    proxies = scene.fleet.links(kind)
    return scene.rng.sample(proxies, scene.rng.randint(1, len(proxies)))
