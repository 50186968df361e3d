"""One module a chat platform; none imports another."""
