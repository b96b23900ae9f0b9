"""What foreign keys on the hot tables would cost: the bare statements on tables that have them (docs/adr/0003)."""

from tests.benchmarks import raw_sql
from tests.benchmarks.figures import Figure, Sheet
from tests.benchmarks.service import Servers

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


async def measure(servers: Servers, *, rounds: int, quick: bool) -> list[Figure]:
    """Rows a second without and with them, in turns."""
    sheet = Sheet(SECTION)
    for _ in range(rounds):
        for name, constraints in (("no foreign keys", ""), ("five foreign keys", CONSTRAINTS)):
            rate = await raw_sql.rate(servers.database_url, transactions=50 if quick else 500, constraints=constraints)
            sheet.note(f"{name}, 100 rows a transaction", rate, "rows/s")
    return sheet.figures()
