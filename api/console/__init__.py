"""The operators' console: pages in a browser over what /v1/ops answers to programs."""
