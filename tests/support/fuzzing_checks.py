"""What Schemathesis checks of an answer beside its own checks; it loads this module itself."""

import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import negative_data_rejection


@schemathesis.check
def bad_data_is_refused(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """As `negative_data_rejection`; a batch refuses the one item that is wrong, and answers 200 for its neighbours."""
    try:
        return negative_data_rejection(ctx, response, case)
    except AcceptedNegativeData:
        if _refuses_an_item(response):
            return None
        raise


def _refuses_an_item(response: Response) -> bool:
    try:
        document = response.json()
    except ValueError:
        return False
    items = document.get("items", []) if isinstance(document, dict) else []
    return any(isinstance(item, dict) and item.get("status", 0) >= 400 for item in items)
