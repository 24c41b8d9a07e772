"""One module for each group of commands; heavy imports stand inside the functions that run."""
