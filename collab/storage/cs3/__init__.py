"""Files that are in a cloud which speaks CS3: adapters of the storage's ports. `Cloud` is what they share."""
