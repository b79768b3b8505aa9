"""Files that are in a cloud which speaks CS3: adapters of the storage's ports. `Cloud` is what they share. Needs the extra `cs3`."""

from collab.storage.cs3.acting import Acting, Alone, Credentials
from collab.storage.cs3.bin import CloudBin
from collab.storage.cs3.claims import CloudClaims
from collab.storage.cs3.cloud import Cloud
from collab.storage.cs3.files import CloudFiles
from collab.storage.cs3.folders import CloudFolders
from collab.storage.cs3.metadata import CloudMetadata
from collab.storage.cs3.people import People
from collab.storage.cs3.room_locks import CloudRoomLocks
from collab.storage.cs3.sharing import CloudSharing
from collab.storage.cs3.versions import CloudVersions
from collab.storage.cs3.watch import CloudWatch

__all__ = [
    "Acting",
    "Alone",
    "Cloud",
    "CloudBin",
    "CloudClaims",
    "CloudFiles",
    "CloudFolders",
    "CloudMetadata",
    "CloudRoomLocks",
    "CloudSharing",
    "CloudVersions",
    "CloudWatch",
    "Credentials",
    "People",
]
