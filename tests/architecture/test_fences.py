"""What tenants read, they read behind the second fence: no module with a tenant's routes names the whole database."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHOLE = "services.database"
TENANTS = ("tenant_caller", "context.tenant_id", "RequestContext")
# Whose routes are for operators, or for nobody in particular.
OPERATORS = "operator_caller"
OPERATORS_ROOM = ROOT / "api" / "native" / "ops"


def test_no_tenant_s_route_reads_past_the_fence():
    looked_at = 0
    for module in sorted((ROOT / "api").rglob("*.py")):
        text = module.read_text(encoding="utf-8")
        is_tenants = any(sign in text for sign in TENANTS) and OPERATORS not in text
        is_tenants = is_tenants and OPERATORS_ROOM not in module.parents
        looked_at += is_tenants
        assert not (is_tenants and WHOLE in text), module
    assert looked_at > 10


def test_whatever_has_routes_in_the_operators_room_is_for_operators():
    routed = [module for module in OPERATORS_ROOM.glob("*.py") if "APIRouter(" in module.read_text(encoding="utf-8")]
    assert len(routed) > 5
    for module in routed:
        text = module.read_text(encoding="utf-8")
        assert "tenant_caller" not in text, module
        assert "from api.native.ops.access import" in text, module
