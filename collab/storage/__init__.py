"""Where the files are, behind the port `collab.ports.Files`: a folder of this machine, or a folder in memory for tests."""
