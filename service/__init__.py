"""evoproxy: one proxy for every WhatsApp instance of an Evolution API server."""

__version__ = "0.1.0"
