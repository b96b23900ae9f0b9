"""What foreign keys on the hot tables would cost: the bare statements on tables that have them (docs/adr/0003)."""

from functools import partial

from tests.benchmarks import raw_sql
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.runs import Plan

SECTION = "foreign-keys"
CONSTRAINTS = """
ALTER TABLE group_assignment
  ADD FOREIGN KEY (tenant_id, group_id) REFERENCES user_group,
  ADD FOREIGN KEY (tenant_id, user_id) REFERENCES app_user,
  ADD FOREIGN KEY (tenant_id, role_id) REFERENCES role;
ALTER TABLE group_member
  ADD FOREIGN KEY (tenant_id, group_id) REFERENCES user_group,
  ADD FOREIGN KEY (tenant_id, user_id) REFERENCES app_user;
"""


async def measure(plan: Plan) -> list[Figure]:
    """Rows a second without and with them, in turns."""

    async def run(sheet: Sheet, name: str, constraints: str) -> None:
        transactions = 50 if plan.quick else 500
        rate = await raw_sql.rate(plan.servers.database_url, transactions=transactions, constraints=constraints)
        sheet.note(f"{name}, 100 rows a transaction", rate, "rows/s")

    return await plan.measure(
        SECTION,
        partial(run, name="no foreign keys", constraints=""),
        partial(run, name="five foreign keys", constraints=CONSTRAINTS),
    )
