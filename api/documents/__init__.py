"""The OpenAPI document, made of what routes say about themselves, and the page that shows it."""
