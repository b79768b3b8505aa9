"""What the server keeps outside the documents' folder: where it is, who holds it, its database and its secrets."""
