"""Hours of a service's life, in virtual time."""
