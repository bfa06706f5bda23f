"""Measurements and storms: in the tests at scaled sizes, in scripts/ at full size."""
