"""What we keep: policy of the report's life, tables, files."""
