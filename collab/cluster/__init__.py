"""Several nodes: where a document's room lives, and how the others come to it."""
