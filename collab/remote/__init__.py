"""A script or a local editor as a peer: documents of a server as files of this machine, both ways."""
