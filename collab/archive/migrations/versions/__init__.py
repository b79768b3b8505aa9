"""One module for each change of the tables; one that was released is never changed."""
