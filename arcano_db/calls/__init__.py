"""The calls of the SQL interface: the clients, the rows they answer, and the errors they raise."""
