"""What is kept for long: bases, versions, authors, people, links, locks."""
