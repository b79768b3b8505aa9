"""collab: a co-editing server for the files of research clouds."""

__version__ = "0.1.0"
