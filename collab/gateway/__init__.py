"""The one door to a cloud's CS3 gateway: gRPC calls, transfers over HTTP, and who somebody is. Needs the extra `cs3`."""
