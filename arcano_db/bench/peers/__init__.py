"""The queues that are compared: each a program that fills its line, or is one worker of it."""
