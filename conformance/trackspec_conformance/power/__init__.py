"""A storage that forgets what was not synced when its power is lost, and that fails when it is told to."""
