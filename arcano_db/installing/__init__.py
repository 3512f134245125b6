"""Bringing Arcano DB into a database: the migrations, and the tables of the app."""
