"""The catalogue API's program licences: /api/catalog/licenses/program."""
