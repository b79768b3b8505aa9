"""Rooms opened once and let go when idle; the tasks that perform a room's effects; the saver."""
