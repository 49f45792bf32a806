"""Scenarios: run, and brought up to date."""
