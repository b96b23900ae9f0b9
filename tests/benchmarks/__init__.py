"""What `./dev bench` measures, one module for each question."""
