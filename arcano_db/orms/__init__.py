"""A job table's row as an object of SQLAlchemy's or Django's; nothing else needs either of them."""
