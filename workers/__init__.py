"""Messages in, transactions out: ready tenants, passes, handlers, the relay, the poll; and the command line."""
