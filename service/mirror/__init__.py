"""Follows the pool into SQL: the audit trail and the tables that people query."""
