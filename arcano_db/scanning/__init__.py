"""Looking at a database in which nothing is installed: its job tables, their ghosts, and what to do."""
