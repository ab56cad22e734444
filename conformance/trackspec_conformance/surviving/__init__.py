"""The soak: rounds of faults and crowds over a subject, for as long as one likes, each with a seed of its own."""
