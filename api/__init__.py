"""HTTP in, commands out. No SQL, no decisions."""
