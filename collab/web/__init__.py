"""Routes, the WebSocket door, pages, health and metrics."""
