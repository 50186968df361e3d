"""The desk of officers and operators: the `paht` command."""
