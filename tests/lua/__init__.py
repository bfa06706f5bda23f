"""Tests of the scripts: one file a script, and what holds for all of them."""
