"""The published APIs that Seatline speaks, one folder each: routes, schemas, translate. None knows another."""
