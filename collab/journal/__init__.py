"""The hot log of each document, behind the port `collab.ports.Journal`."""
