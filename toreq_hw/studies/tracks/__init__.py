"""Tracks of the study `verification`: one published claim a file, found by this folder."""
