"""What Seatline decides: commands, outcomes, events and the planning between them. Standard library only, no I/O."""
