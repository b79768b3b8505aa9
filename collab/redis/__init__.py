"""Redis and Valkey: what several nodes share beside storage and archive."""
