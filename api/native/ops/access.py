"""Which operators may look, and which may act."""

from typing import Annotated

from fastapi import Depends

from api.http.context import RequestContext, operator_caller

Looking = Annotated[RequestContext, Depends(operator_caller("ops:read"))]
Acting = Annotated[RequestContext, Depends(operator_caller("ops:write"))]
