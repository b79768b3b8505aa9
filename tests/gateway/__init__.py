"""A cloud in the tests' own process: a CS3 gateway (gRPC) and its data server (HTTP) on loopback, over files in memory, with the odd answers of real ones.

cloud = Cloud()                                  # users, spaces, files: they outlive restarts; `clock` is an argument
cloud.add_user("ann")                            # with a personal space of that name
cloud.put("ann", "work/a.md", b"one")            # from outside: (space, path, body)
async with CloudGateway(cloud) as gateway:       # start(), stop(), restart(): the same ports
    Gateway(gateway.target)                      # collab/gateway/calls.py
    cloud.token("ann")                           # a JWT that ends in 24 h; lifetime=-1.0: over already; broken_token()
    cloud.share("ann", "work", "bob", "viewer")  # roles: `cloud.ROLES`; cloud.unshare(…) takes it away, at once
    cloud.link("ann", "work/a.md", "editor")     # Authenticate{publicshares, the link's token}: the user is Ann, with an opaque role
    gateway.moods.torn = 0.5                     # see `moods.Moods`: each is a switch, all off at the beginning
    gateway.calls["Stat"]                        # how often each call came; gateway.tokens: which tokens came with calls
"""

from gateway.cloud import ROLES, Cloud
from gateway.moods import Moods
from gateway.server import CloudGateway

__all__ = ["ROLES", "Cloud", "CloudGateway", "Moods"]
