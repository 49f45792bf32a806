"""Whole profiles in and out."""
