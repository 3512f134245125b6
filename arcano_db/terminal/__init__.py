"""How a program and the one who started it understand each other: what is printed, how it is stopped."""
