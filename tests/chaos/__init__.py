"""`./dev chaos`: real processes under load, one fault after the other, and then everything is counted."""
