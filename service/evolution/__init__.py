"""The Evolution API, and nothing else: a client for one server, what its answers mean, and a simulated server."""
