"""The HTTP face: API, webhooks and dashboard."""
