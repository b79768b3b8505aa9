"""Being an application of a cloud: "Open in …" of Reva, oCIS, OpenCloud, CERNBox."""
