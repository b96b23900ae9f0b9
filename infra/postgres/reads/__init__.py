"""What the doors read. Every list walks an index from a key, so that no page costs more than its length."""
