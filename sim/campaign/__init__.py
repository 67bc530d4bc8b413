"""Campaigns: many seeded trials of one layer at many levels, with confidence."""
