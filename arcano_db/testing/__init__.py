"""For tests: an embedded PostgreSQL, which demo and bench run on too, and the fixtures of pytest."""
