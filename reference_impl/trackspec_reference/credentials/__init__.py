"""Who a client says that it is: found in the environment, in a netrc file, or by Databricks' own SDK."""
