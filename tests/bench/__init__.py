"""Benchmarks: our stores, MLflow's counterparts and the raw limit beneath, side by side in one run."""
