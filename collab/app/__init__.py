"""The only place that chooses adapters and wires them: settings in, a server out."""
