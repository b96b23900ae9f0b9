"""What tests share: servers, models and drivers. Nothing in here is a test."""
