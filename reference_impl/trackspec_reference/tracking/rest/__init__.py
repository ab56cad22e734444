"""What the REST stores are made of: credentials become requests, requests are repeated, answers are judged."""
