"""The console's files: style, scripts, and the libraries it carries, each under an address that changes with it.

One rule: nothing comes from another host; what is carried is named with its version and digest in vendor/VENDORED.json.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
PREFIX = "/console/static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_DIGEST_LENGTH = 16
# The address names the content, so it never has to be asked for again.
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file as it is served; `packed` is its gzip form."""

    path: str
    media_type: str
    content: bytes
    packed: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """All files by their names below `static/`, read once."""
    found = {str(path.relative_to(FOLDER)): _asset(path) for path in sorted(FOLDER.rglob("*")) if path.suffix in _TYPES}
    return MappingProxyType(found)


def asset_url(name: str) -> str:
    """Where the file of this name is served."""
    return assets()[name].path


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
    return Asset(
        path=f"{PREFIX}/{digest}/{path.relative_to(FOLDER)}",
        media_type=_TYPES[path.suffix],
        content=content,
        packed=gzip.compress(content, mtime=0),
    )


router = APIRouter()


@router.get(PREFIX + "/{digest}/{name:path}")
async def static(request: Request, digest: str, name: str) -> Response:
    """One file; an address of another version's file is unknown."""
    asset = assets().get(name)
    if asset is None or asset.path != f"{PREFIX}/{digest}/{name}":
        raise HTTPException(404)
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=headers)
