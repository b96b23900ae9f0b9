"""The users API's user groups: /api/admin/users/v4/user-groups."""
