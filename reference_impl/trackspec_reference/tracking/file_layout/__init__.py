"""What the file store is made of: logs of checksummed records, the states they fold to, and locks."""
