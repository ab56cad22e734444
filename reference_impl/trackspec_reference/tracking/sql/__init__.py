"""What the SQL store is made of: schema, dialects, transactions, and the compilers of filters and orderings."""
