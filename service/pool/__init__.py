"""The pool: proxies, leases and instances in Redis. State changes only in Lua; this package calls the scripts."""
