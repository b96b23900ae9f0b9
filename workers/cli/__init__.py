"""The `seatline` command line, which is `./dev` in a clone."""
