"""Development servers and processes of this machine: nothing in here runs in production."""
