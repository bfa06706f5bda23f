"""The tests of evoproxy; one folder a room."""
