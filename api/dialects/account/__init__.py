"""The account API's user licences: /{organizationName}/lease_/api/account/{accountId}/user-license."""
